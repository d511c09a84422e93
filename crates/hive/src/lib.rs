//! diskmend-hive
