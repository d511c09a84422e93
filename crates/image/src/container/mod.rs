//! Containers: where the bytes of a virtual disk lie in the file that holds it.
