//! Checks that every cluster belongs to at most one file or folder. If this is not so, writing one
//! file would change another, or would allocate a cluster that is free only according to its mark.

use super::error::FatError;
use super::folder::{Place, Reader};
use super::geometry::{Cluster, Geometry, Root, corrupt};
use super::table::{Next, Table};
use crate::device::Device;
use diskmend_base::count::to_usize;

/// The clusters of all files and folders that were visited.
struct Claims {
    /// One bit for each cluster. This is not larger than a part of the FAT itself.
    bits: Vec<u64>,
}

/// Walks all folders and chains of the volume. The walk ends when a cluster is met twice, so that
/// it takes no more steps than there are clusters and entries.
pub(super) fn check(device: &dyn Device, geometry: &Geometry) -> Result<(), FatError> {
    let mut reader = Reader::new(device, geometry);
    let mut claims = Claims { bits: Vec::new() };
    if let Root::Chain(first) = geometry.root {
        claims.chain(&mut reader.table, first, geometry.place(first).start)?;
    }
    let mut folders = vec![Place::Root];
    while let Some(place) = folders.pop() {
        for found in reader.entries(place)? {
            if found.first == 0 && !found.is_folder {
                continue;
            }
            let first = geometry.cluster(found.first).ok_or_else(|| {
                corrupt(
                    "entry's first cluster",
                    found.at,
                    "one there is",
                    found.first,
                )
            })?;
            claims.chain(&mut reader.table, first, found.at)?;
            if found.is_folder {
                folders.push(Place::At(first));
            }
        }
    }
    Ok(())
}

impl Claims {
    /// Claims a whole chain for the entry at `at`.
    fn chain(&mut self, table: &mut Table<'_>, first: Cluster, at: u64) -> Result<(), FatError> {
        let mut cluster = first;
        loop {
            if !self.claim(cluster) {
                let found = format!("cluster {} a second time", cluster.number());
                return Err(corrupt(
                    "chain of an entry",
                    at,
                    "clusters of its own",
                    found,
                ));
            }
            match table.next(cluster)? {
                Next::To(next) => cluster = next,
                Next::End => return Ok(()),
                wrong @ (Next::Free | Next::Bad) => {
                    let mark = if matches!(wrong, Next::Free) {
                        "free"
                    } else {
                        "bad"
                    };
                    let found = format!("the mark \"{mark}\" for cluster {}", cluster.number());
                    return Err(corrupt(
                        "chain of an entry",
                        at,
                        "its next or its end",
                        found,
                    ));
                }
            }
        }
    }

    /// Claims the cluster; false if it was already claimed.
    fn claim(&mut self, cluster: Cluster) -> bool {
        let number = cluster.number();
        let index = to_usize(number / u64::BITS);
        if self.bits.len() <= index {
            self.bits.resize(index.saturating_add(1), 0);
        }
        let bit = 1 << (number % u64::BITS);
        self.bits.get_mut(index).is_some_and(|word| {
            let is_free = *word & bit == 0;
            *word |= bit;
            is_free
        })
    }
}
