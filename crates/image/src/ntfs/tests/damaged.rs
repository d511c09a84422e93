//! Single structures that are damaged: each is named in an error, and never taken for nothing.

use super::image::Image;
use super::*;
use crate::ntfs::format::{AttributeHeader, attribute_type, system};
use crate::ntfs::place::Lcn;
use crate::ntfs::runs::{self, Run};

/// A way in which $MFT tells of clusters that are not its own.
type Endless = (&'static str, u16, Vec<Run>);

#[test]
fn an_mft_of_more_clusters_than_it_can_have_is_refused() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let (volume, device) = image.open();
    let own = volume.inner.mft.layout().runs().to_vec();
    let end = own.last().expect("some").end();
    let with = |more: &[Run]| [own.as_slice(), more].concat();
    let hole = Run {
        vcn: end,
        lcn: None,
        len: 1 << 40,
    };
    let repeated: Vec<Run> = (0..3)
        .map(|index| Run {
            vcn: end + index * 2000,
            lcn: Some(Lcn(100)),
            len: 2000,
        })
        .collect();
    let sparse = AttributeHeader::FLAG_SPARSE;
    let cases: [Endless; 4] = [
        ("flags 0x8000", sparse, own.clone()),
        ("flags 0x0001", 1, own.clone()),
        ("flags 0x8000, holes: true", sparse, with(&[hole])),
        ("clusters of $MFT", 0, with(&repeated)),
    ];
    for (expected, flags, runs) in cases {
        let mft = &volume.inner.mft;
        let mut record = mft.read_system(system::MFT).expect("sound");
        let at = record.find(attribute_type::DATA, "").expect("one").place();
        let clusters = runs.last().expect("some").end();
        let pairs = runs::encode(&runs).expect("short");
        record
            .set_mapping_pairs(at, &pairs, clusters - 1)
            .expect("room");
        let header = record.non_resident_mut(at).expect("in clusters");
        header.common.flags = flags.into();
        header.allocated_size = (clusters * 4096).into();
        header.data_size = header.allocated_size;
        header.initialized_size = header.allocated_size;
        mft.write(&mut record).expect("written");
        let error = Volume::open(device.clone()).expect_err("refused");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(error, VolumeError::Corrupt(_)), "{error}");
    }
}
