//! Writing an edited hive back, the way Windows does it: the changed pages go to a transaction
//! log first, then to the primary file in place.

mod on_disk;

pub(crate) use on_disk::{OnDisk, Run, Settlement};
