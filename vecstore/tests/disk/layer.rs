//! The disk of these tests itself: a power loss takes what was not synced, and nothing else.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::fuse::{Disk, Fault, Plan};
use crate::mount;

fn sync(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

#[test]
fn a_power_loss_takes_what_was_not_synced() {
    let Some(mut disk) = mount::or_skip(Disk::new()) else { return };
    let (mut old, mut new, mut mixed, mut created, mut renamed) = (0, 0, 0, 0, 0);
    for seed in 0..60 {
        let directory = disk.path().join(seed.to_string());
        let path = |name| directory.join(name);
        fs::create_dir(&directory).unwrap();
        sync(disk.path());
        for name in ["synced", "written", "before"] {
            fs::write(path(name), [1; 2000]).unwrap();
            sync(&path(name));
        }
        sync(&directory);

        let file = File::options().write(true).open(path("written")).unwrap();
        file.write_all_at(&[2; 2000], 0).unwrap();
        drop(file);
        fs::write(path("created"), "").unwrap();
        sync(&path("created"));
        fs::rename(path("before"), path("after")).unwrap();
        disk.restart(&mut StdRng::seed_from_u64(seed));

        assert_eq!(fs::read(path("synced")).unwrap(), [1; 2000]);
        let written = fs::read(path("written")).unwrap();
        assert!(written.len() == 2000 && written.iter().all(|byte| [1, 2].contains(byte)));
        match (written.contains(&1), written.contains(&2)) {
            (true, false) => old += 1,
            (false, _) => new += 1,
            _ => mixed += 1,
        }
        created += usize::from(path("created").exists());
        renamed += usize::from(path("after").exists());
        assert!(path("after").exists() != path("before").exists(), "a rename is atomic");
    }
    for count in [old, new, mixed, created, 60 - created, renamed, 60 - renamed] {
        assert!(count > 5, "{old} {new} {mixed} {created} {renamed}");
    }
}

#[test]
fn without_power_nothing_works() {
    let Some(mut disk) = mount::or_skip(Disk::new()) else { return };
    let mut file = File::create(disk.path().join("file")).unwrap();
    disk.plan(Plan { after: 1, at: None, fault: Fault::PowerLoss, hook: Box::new(|| ()) });
    file.write_all(&[1]).unwrap();
    assert!(!disk.struck() && file.write_all(&[1]).is_ok(), "a plan can be given up");
    disk.plan(Plan { after: 1, at: None, fault: Fault::PowerLoss, hook: Box::new(|| ()) });
    file.write_all(&[1]).unwrap();
    file.write_all(&[1]).unwrap_err();
    file.sync_all().unwrap_err();
    fs::create_dir(disk.path().join("directory")).unwrap_err();
    fs::read_dir(disk.path()).unwrap_err();
    assert!(disk.struck());
    drop(file);
    disk.restart(&mut StdRng::seed_from_u64(0));
    fs::read_dir(disk.path()).unwrap();
}
