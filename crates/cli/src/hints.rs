//! What to do about an error: known to the command line only, which knows the person's next step.

use diskmend_disk::OpenError;
use diskmend_repair::recipe::RecipeError;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_file::ReadError;

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let hint = match &error {
            ReadError::Folder(OpenError::Permission { .. }) => Some(PERMISSION),
            ReadError::File { source, .. } => io_hint(source),
            ReadError::NotAHive { .. } => Some(NOT_A_HIVE),
            ReadError::Unrecoverable { .. } => Some(NO_LOG),
            _ => None,
        };
        Self::of(Exit::Failure, &error).maybe_hint(hint)
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        let hint = match &error {
            RecipeError::Unknown { known, .. } => Some(format!("there are: {}", known.join(", "))),
            RecipeError::Conflict { .. } => Some("name one of the two only".to_owned()),
            _ => None,
        };
        Self::of(Exit::Usage, &error).maybe_hint(hint)
    }
}

const PERMISSION: &str = "run diskmend as root or administrator";
const NOT_A_HIVE: &str = "hives lie in Windows/System32/config (SYSTEM, SOFTWARE, SAM and so on), \
                          in user profiles (NTUSER.DAT) and in the boot store (BCD)";
const NO_LOG: &str = "copy the hive together with its .LOG1 and .LOG2 files, which lie beside it; \
                      where they are lost, so are the last changes to the registry";

fn io_hint(error: &std::io::Error) -> Option<&'static str> {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Some(PERMISSION),
        std::io::ErrorKind::IsADirectory => {
            Some("name the hive file itself, such as Windows/System32/config/SYSTEM")
        }
        _ => None,
    }
}
