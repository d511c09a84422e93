//! Lists the partitions of a raw image, VHD or VHDX: `list_partitions IMAGE`.
//!
//!     cargo run -p diskmend-image --example list_partitions -- disk.vhdx

#![expect(clippy::print_stdout, reason = "it shows what it finds")]

use std::env;
use std::error::Error;
use std::fs::File;
use std::sync::Arc;

use diskmend_image::container::Container;
use diskmend_image::content::recognise;
use diskmend_image::device::Device;
use diskmend_image::host::HostFile;
use diskmend_image::partition;

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args()
        .nth(1)
        .ok_or("the path of an image is missing")?;
    let container = Container::open(Arc::new(HostFile::file(File::open(file)?)?))?;
    println!("{}, {} bytes", container.format(), container.len());
    let sector_size = container.logical_sector_size();
    let disk: Arc<dyn Device> = Arc::new(container);
    let table = partition::read(disk.as_ref(), sector_size)?;
    for partition in &table.partitions {
        let content = recognise(&partition.open(Arc::clone(&disk))?)?;
        println!(
            "{}: {} bytes at {}, {}, {content}",
            partition.number, partition.len, partition.start, partition.kind
        );
    }
    Ok(())
}
