//! Replays the logs' pages into a hive in memory.

use diskmend_base::bytes;

use crate::commit::{OnDisk, Run, Settlement};
use crate::format::{BaseBlock, HiveBin};
use crate::hive::{DirtyHive, DirtyState, Hive, OpenError};
use crate::image::Image;
use crate::offset::{BASE_BLOCK_LEN, FileOffset, PAGE_LEN};
use crate::recover::choose::{Applicable, Content, Primary, choose};
use crate::recover::entries::max_bins_len;
use crate::recover::error::{RecoverError, RefusedLogs};
use crate::recover::logs::Logs;
use crate::recover::report::{Applied, Recovery, SkippedLog};
use crate::recover::{LogFault, LogFormat, LogKind};
use crate::time::Filetime;

impl DirtyHive {
    /// Replays the logs that apply into the hive, in memory only: a commit writes the result to
    /// disk.
    ///
    /// The logs are chosen as Windows chooses them (regf spec, Dirty state of a hive and Multiple
    /// transaction log files). Unlike Windows, this function invents nothing: a damaged bin stays
    /// damaged, and a hive to which no log applies is an error.
    ///
    /// # Errors
    /// If no log applies, with the reason for each, or if the result is not a hive.
    pub fn recover(self, logs: &Logs) -> Result<(Hive, Recovery), RecoverError> {
        let Self { mut buffer, state } = self;
        let file_len = buffer.bytes().len();
        let (chosen, faults) = choose(
            &primary(buffer.bytes(), state),
            logs,
            max_bins_len(file_len, logs.content_len()),
        );
        let [log, log1, log2] = faults.into_parts();
        let was_invalid = matches!(state, DirtyState::Checksum { .. });
        let on_disk = bytes::view::<BaseBlock>(buffer.bytes(), 0).filter(|_| !was_invalid);
        let (Some(first), Some(base)) = (chosen.first(), recovered_base(on_disk, &chosen)) else {
            let unused = || LogFault::Missing;
            return Err(RecoverError::NoLog(Box::new(RefusedLogs {
                log: log.unwrap_or_else(unused),
                log1: log1.unwrap_or_else(unused),
                log2: log2.unwrap_or_else(unused),
            })));
        };
        let restored = was_invalid.then(|| still_dirty(&base, first));

        let largest = chosen.iter().map(Applicable::largest_bins_len);
        let largest = largest.fold(first.largest_bins_len(), usize::max);
        if BASE_BLOCK_LEN + largest > file_len {
            buffer
                .grow(BASE_BLOCK_LEN + largest)
                .map_err(RecoverError::Memory)?;
        }
        let too_short = || RecoverError::Invalid(OpenError::TooShort { len: file_len });
        let mut image = Image::new(buffer, largest).map_err(|_| too_short())?;
        image.set_header(&base);
        for log in &chosen {
            log.replay(&mut image).ok_or_else(too_short)?;
        }
        let bins_len = base.bins_len.get() as usize;
        image.set_bins_len(bins_len).map_err(RecoverError::Memory)?;
        base.validate()
            .map_err(|fault| RecoverError::Invalid(fault.into()))?;
        refuse_holes(&image, file_len)?;

        let runs = recovered_runs(&image);
        let pages = runs.iter().map(|run| run.bytes.len() / PAGE_LEN).sum();
        let settlement = Settlement {
            runs,
            replayed: chosen.iter().map(|log| log.kind).collect(),
            restored,
        };
        let disk = OnDisk::unsettled(image.base_block(), file_len, settlement);
        image.settle(disk);

        let skipped = LogKind::ALL.into_iter().zip([log, log1, log2]);
        let recovery = Recovery {
            applied: chosen.iter().map(Applied::of).collect(),
            skipped: skipped
                .filter_map(|(log, fault)| fault.map(|fault| SkippedLog { log, fault }))
                .collect(),
            pages,
            sequence: base.primary_sequence.get(),
            bins_len,
            base_block_restored: was_invalid,
        };
        Ok((Hive { image }, recovery))
    }
}

impl Applicable<'_> {
    /// The format of the log.
    pub(crate) fn format(&self) -> LogFormat {
        match self.content {
            Content::Sectors(_) => LogFormat::Old,
            Content::Entries(_) => LogFormat::New,
        }
    }

    /// The number of the log's last entry.
    pub(crate) fn last_sequence(&self) -> u32 {
        match &self.content {
            Content::Sectors(_) => self.base.primary_sequence.get(),
            Content::Entries(chain) => chain.last,
        }
    }

    fn largest_bins_len(&self) -> usize {
        let of_entries = match &self.content {
            Content::Sectors(_) => None,
            Content::Entries(chain) => chain.entries.iter().map(|entry| entry.bins_len).max(),
        };
        of_entries.unwrap_or(self.base.bins_len.get() as usize)
    }

    fn last_bins_len(&self) -> usize {
        let of_entries = match &self.content {
            Content::Sectors(_) => None,
            Content::Entries(chain) => chain.entries.last().map(|entry| entry.bins_len),
        };
        of_entries.unwrap_or(self.base.bins_len.get() as usize)
    }

    /// Writes all pages to the image, which is long enough for the largest entry; `None` if a page
    /// lies outside the image.
    fn replay(&self, image: &mut Image) -> Option<()> {
        let mut write = |(at, data): (usize, &[u8])| image.write(at, data);
        match &self.content {
            Content::Sectors(vector) => vector.sectors().try_for_each(&mut write),
            Content::Entries(chain) => {
                let mut entries = chain.entries.iter();
                entries.try_for_each(|entry| entry.pages().try_for_each(&mut write))
            }
        }
    }
}

fn primary(file: &[u8], state: DirtyState) -> Primary {
    match (state, bytes::view::<BaseBlock>(file, 0)) {
        (DirtyState::Sequences { .. }, Some(base)) => Primary::Valid {
            sequence: base.secondary_sequence.get(),
            last_written: Filetime(base.last_written.get()),
        },
        _ => Primary::Invalid {
            last_written: bytes::view::<HiveBin>(file, BASE_BLOCK_LEN)
                .filter(|bin| bin.signature == HiveBin::SIGNATURE)
                .map(|bin| Filetime(bin.timestamp.get())),
        },
    }
}

/// The base block after the replay: clean, with the sequence number that follows the last entry's,
/// as Windows leaves it. `on_disk` is the primary file's base block, if it is valid.
fn recovered_base(
    on_disk: Option<&BaseBlock>,
    chosen: &[Applicable<'_>],
) -> Option<Box<BaseBlock>> {
    let (first, last) = (chosen.first()?, chosen.last()?);
    let mut sequence = last.last_sequence().wrapping_add(1);
    let mut base = first.base.clone();
    if let Some(on_disk) = on_disk {
        sequence = sequence.max(on_disk.primary_sequence.get());
        base = Box::new(on_disk.clone());
    }
    let flags = chosen.iter().rev().find_map(|log| match &log.content {
        Content::Sectors(_) => None,
        Content::Entries(chain) => chain.entries.last().map(|entry| entry.flags),
    });
    if let Some(flags) = flags {
        let kept = base.flags.get() & !BaseBlock::FLAG_KTM_LOCKED;
        base.flags = (kept | flags & BaseBlock::FLAG_KTM_LOCKED).into();
    }
    base.bins_len = (last.last_bins_len() as u32).into();
    base.primary_sequence = sequence.into();
    base.secondary_sequence = sequence.into();
    base.seal();
    Some(base)
}

/// The base block that replaces a torn one until all pages are written: valid, but dirty, so that
/// the log that was replayed applies again.
fn still_dirty(recovered: &BaseBlock, log: &Applicable<'_>) -> Box<BaseBlock> {
    let sequence = log.base.primary_sequence.get();
    let mut base = Box::new(recovered.clone());
    base.primary_sequence = sequence.wrapping_add(1).into();
    base.secondary_sequence = sequence.into();
    base.last_written = log.base.last_written;
    base.seal();
    base
}

/// Refuses a hive if its file ends before its bins do, unless the logs contain everything that is
/// missing.
fn refuse_holes(image: &Image, file_len: usize) -> Result<(), RecoverError> {
    let in_file = file_len.saturating_sub(BASE_BLOCK_LEN) / PAGE_LEN;
    let missing =
        (in_file..image.bins_len() / PAGE_LEN).find(|&page| !image.dirty().contains(page));
    match missing {
        Some(page) => Err(RecoverError::MissingPage {
            offset: FileOffset((BASE_BLOCK_LEN + page * PAGE_LEN) as u64),
        }),
        None => Ok(()),
    }
}

/// Copies of the pages that the logs supplied, as far as they are inside the bins.
fn recovered_runs(image: &Image) -> Vec<Run> {
    let pages = image.bins_len() / PAGE_LEN;
    let runs = image.dirty().runs().filter_map(|(first, count)| {
        let count = count.min(pages.checked_sub(first)?);
        let bytes = bytes::slice(image.bins(), first * PAGE_LEN, count * PAGE_LEN)?;
        (count > 0).then(|| Run {
            first,
            bytes: bytes.to_vec(),
        })
    });
    runs.collect()
}
