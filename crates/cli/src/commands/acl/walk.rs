//! Reads the permissions of a path, and of everything below it.

use diskmend_base::chain;
use diskmend_disk::{LookupError, NtPath, Object};
use diskmend_repair::{Phase, Progress as _};

use super::path_arg::Located;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::output::console;
use crate::progress::Steps;

/// The result of a walk over permissions.
#[derive(Default)]
pub(super) struct Walked {
    /// The number of objects that were read.
    pub(super) objects: u64,
    /// The number of objects that could not be read.
    pub(super) failed: u64,
}

/// Passes the object at a path to `visit`, and with `tree` also everything below it; warns about
/// objects that it leaves out.
pub(super) fn walk(
    located: &Located,
    tree: bool,
    mut visit: impl FnMut(&NtPath, &[u8]) -> Result<(), Failure>,
) -> Result<Walked, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::of(Exit::Failure, error).context(located.target.display())
    };
    let volume = located
        .target
        .root()
        .descriptors()
        .map_err(|error| failed(&error))?;
    let volume = volume.ok_or_else(|| {
        let message =
            "this is not an NTFS volume, or its driver does not show Windows's permissions";
        Failure::new(Exit::Refused, message)
            .context(located.target.display())
            .hint(hints::no_descriptors(located.target.path()))
    })?;
    let found = volume.find(&located.names()).map_err(|error| match error {
        LookupError::Link { .. } => failed(&error).with_exit(Exit::Refused),
        _ => failed(&error),
    })?;
    let (start, _) = found.ok_or_else(|| {
        let message = format!("{}: not found", located.names().join("/"));
        Failure::new(Exit::Failure, message)
    })?;
    let mut steps = Steps::start();
    steps.phase(Phase::Comparing, &start.to_string());
    let mut walked = Walked::default();
    let objects: Box<dyn Iterator<Item = Vec<Object>>> = if tree {
        Box::new(volume.walk(&start))
    } else {
        Box::new(std::iter::once(vec![volume.object(&start)]))
    };
    for batch in objects {
        for object in batch {
            match &object.descriptor {
                Ok(bytes) => {
                    visit(&object.path, bytes)?;
                    walked.objects += 1;
                }
                Err(error) => {
                    walked.failed += u64::from(!error.is_by_nature());
                    console::warn(format_args!(
                        "{} is left out: {}",
                        object.path,
                        chain(error)
                    ));
                }
            }
        }
        steps.count(walked.objects);
    }
    Ok(walked)
}

impl Walked {
    /// The exit code of the command.
    pub(super) fn exit(&self) -> Exit {
        match (self.objects, self.failed) {
            (_, 0) => Exit::Done,
            (0, _) => Exit::Failure,
            _ => Exit::Partial,
        }
    }
}
