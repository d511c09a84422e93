//! Partition tables: which parts a disk has.
