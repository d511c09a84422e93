//! SIDs computed from a name: those of services and of IIS's application pools.

use sha1::{Digest, Sha1};

use super::Sid;

/// The first sub-authority of a service's SID, SECURITY_SERVICE_ID_BASE_RID.
const SERVICE: u32 = 80;
/// The first sub-authority of an IIS application pool's SID.
const APP_POOL: u32 = 82;

impl Sid {
    /// The SID of `NT SERVICE\name`: S-1-5-80 and the SHA-1 of the upper-cased UTF-16LE name.
    #[must_use]
    pub fn of_service(name: &str) -> Self {
        Self::hashed(SERVICE, hash(name.chars().map(upper)))
    }

    /// The SID of `IIS APPPOOL\name`: S-1-5-82 and the SHA-1 of the lower-cased UTF-16LE name.
    #[must_use]
    pub(crate) fn of_app_pool(name: &str) -> Self {
        Self::hashed(APP_POOL, hash(name.chars().map(lower)))
    }

    /// The name from which a service's SID was computed, if the service comes with Windows or one
    /// of its server roles.
    pub(super) fn known_service(&self) -> Option<&'static str> {
        SERVICES
            .iter()
            .find(|(_, words)| *self == Self::hashed(SERVICE, *words))
            .map(|(name, _)| *name)
    }
}

fn hash(name: impl Iterator<Item = char>) -> [u32; 5] {
    let mut sha1 = Sha1::new();
    for letter in name {
        for unit in letter.encode_utf16(&mut [0; 2]) {
            sha1.update(unit.to_le_bytes());
        }
    }
    let digest: [u8; 20] = sha1.finalize().into();
    let (words, _) = digest.as_chunks::<4>();
    let mut numbers = [0; 5];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u32::from_le_bytes(*word);
    }
    numbers
}

/// Windows changes the case of single UTF-16 units, so a letter stays if its upper case is several
/// letters.
fn upper(letter: char) -> char {
    single(letter, letter.to_uppercase())
}

fn lower(letter: char) -> char {
    single(letter, letter.to_lowercase())
}

fn single(letter: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

/// The hashes of services that come with Windows, its server roles and Azure. With them a report
/// can name these services.
const SERVICES: &[(&str, [u32; 5])] = &[
    (
        "AppHostSvc",
        [0x21d37667, 0x54993554, 0x2e3eabd4, 0x406dc3f1, 0x2b14b654],
    ),
    (
        "AppIDSvc",
        [0x7be35400, 0x900f052d, 0xf2b89b6d, 0xeb128081, 0x3a3ba519],
    ),
    (
        "Appinfo",
        [0x50394852, 0xa1c55ffd, 0xd80db485, 0x60692d9e, 0xea1b56d6],
    ),
    (
        "AudioEndpointBuilder",
        [0x5e3b5dd1, 0xc118a0d1, 0x96c11a43, 0xe02db9e5, 0x485fe331],
    ),
    (
        "Audiosrv",
        [0x9f88e7c9, 0x71f18f19, 0x9c77cb5d, 0xf907dc14, 0x51771d47],
    ),
    (
        "BFE",
        [0x5271287e, 0x01a5e8b3, 0xa1917b4a, 0x631f189c, 0x3d085dd7],
    ),
    (
        "BITS",
        [0x338d92d8, 0x08105ecb, 0xb80c8c19, 0x66562a00, 0xfc901fbd],
    ),
    (
        "CertPropSvc",
        [0xc2153fa1, 0x8ce492f1, 0xd79fd22f, 0xf701472c, 0x2d1d7300],
    ),
    (
        "CryptSvc",
        [0x0e77c298, 0x10b9bf0a, 0x84440f57, 0xbdfc00a4, 0x84ad33a3],
    ),
    (
        "DcomLaunch",
        [0x5f79fee5, 0x3b0daea0, 0xc90afa22, 0x3a415a01, 0xb74aa6e5],
    ),
    (
        "Dhcp",
        [0xaf44c904, 0xe5d3d994, 0x1cb7e12b, 0x13878417, 0x65fa1a6e],
    ),
    (
        "Dnscache",
        [0x333aa847, 0x34726f59, 0x33761ecd, 0x44465ff6, 0x8e5f6dba],
    ),
    (
        "DPS",
        [0xb10ff35e, 0x04ae6481, 0x29a24cb1, 0x214cb114, 0x568656a6],
    ),
    (
        "EventLog",
        [0x347c9023, 0x6ee17841, 0x1cc48d77, 0xa6333c99, 0x5bd6688a],
    ),
    (
        "EventSystem",
        [0x69a74d1f, 0x5cb997c2, 0xc8d33425, 0x63d6a820, 0x8e412783],
    ),
    (
        "gpsvc",
        [0x78a6a92c, 0x91c81a33, 0x3590f0ef, 0xaf5ba9f4, 0x2d7145d6],
    ),
    (
        "IKEEXT",
        [0x29a82b1c, 0x166904d0, 0xa06a5afd, 0xaf102e86, 0xe4fefec7],
    ),
    (
        "iphlpsvc",
        [0x03bd1a18, 0x926f8196, 0xe64daefc, 0x592becc1, 0x3e219246],
    ),
    (
        "KeyIso",
        [0x47e3e88d, 0x64000076, 0x9077fa17, 0xc9026ae1, 0xe8b211c9],
    ),
    (
        "LanmanServer",
        [0x346f18aa, 0x8c2b9e6e, 0x16114df8, 0x96759788, 0xefd24c47],
    ),
    (
        "LanmanWorkstation",
        [0x2aea4d57, 0xa8e6d4cb, 0x5d63bd2f, 0xf4049bf1, 0x54485448],
    ),
    (
        "lmhosts",
        [0x0a41f279, 0x2ab39310, 0x033bddd2, 0x0b0e255e, 0x8ad988f3],
    ),
    (
        "MpsSvc",
        [0xb81041f1, 0x574dfc36, 0x700baea8, 0x42042125, 0x31114f84],
    ),
    (
        "MSDTC",
        [0xec0f32e5, 0x92a2be28, 0xf135292c, 0x6bdc4263, 0x86250a5a],
    ),
    (
        "MSSQLSERVER",
        [0xe74f0fe2, 0xe47458b1, 0x6402198e, 0x9adcc278, 0x3eb807c3],
    ),
    (
        "Netlogon",
        [0x5ebb1079, 0x72daf3c2, 0xcc20f6f9, 0x8943a565, 0x995abe38],
    ),
    (
        "netprofm",
        [0xd8b85202, 0x7ac74c12, 0x84adf4b2, 0x3aaf7501, 0x25bfcec8],
    ),
    (
        "NlaSvc",
        [0xbb413e44, 0x7aa8ba45, 0x6892bd6c, 0x8f64adf4, 0xe970e6d5],
    ),
    (
        "nsi",
        [0x89bbbdb2, 0xfc8c7bf3, 0xdbe14811, 0x1742032f, 0xd14e528d],
    ),
    (
        "PlugPlay",
        [0x762279eb, 0x3700a322, 0xd2b876e5, 0xb2cf27bd, 0x12ff77ed],
    ),
    (
        "Power",
        [0x8badb25b, 0xb081aed1, 0x23ad640d, 0x17671dfa, 0x7dda4f79],
    ),
    (
        "ProfSvc",
        [0xe37e7daf, 0x02002903, 0x424bd947, 0xd3882f39, 0x37559fc3],
    ),
    (
        "RdAgent",
        [0xb462b1a6, 0x57b9ecf4, 0x7a543094, 0x0f1dd4d1, 0x0ba1a1d7],
    ),
    (
        "RemoteRegistry",
        [0xa83c0a80, 0xd6abbaa9, 0x3c63ba0b, 0x0744b9e0, 0x6ccad532],
    ),
    (
        "RpcEptMapper",
        [0x1f12c0c6, 0x36011346, 0xe65ace03, 0x5ae7ea38, 0xcdb58062],
    ),
    (
        "RpcSs",
        [0x3a62d80a, 0x180fc6d9, 0xebb5651b, 0x8b2f6dd6, 0x5c398378],
    ),
    (
        "SamSs",
        [0xcdd48763, 0x28aa92d4, 0xcd800600, 0xa77dd345, 0x35457ee8],
    ),
    (
        "Schedule",
        [0xf5dfea09, 0x5d66e729, 0x323c788b, 0x7ca5c21e, 0x31d580e1],
    ),
    (
        "SessionEnv",
        [0xefc18333, 0x41004be2, 0x6031fe33, 0x33e28c51, 0xcc624b29],
    ),
    (
        "Spooler",
        [0xeb83221f, 0x63a193e8, 0x546b16cf, 0xe04e4c2b, 0xea46a3ca],
    ),
    (
        "SQLSERVERAGENT",
        [0x148fa8dc, 0x7ad49fb7, 0x893d2a99, 0xa729f843, 0x57630626],
    ),
    (
        "SysMain",
        [0x9a657867, 0xee2f76f1, 0xee023671, 0x0168bb11, 0x13580397],
    ),
    (
        "TermService",
        [0x1a963466, 0x5cf1aab9, 0xf8123019, 0x7448ce95, 0x304efda0],
    ),
    (
        "TrustedInstaller",
        [0x38fb89b5, 0xcbc28419, 0x6d236c5c, 0x6e770057, 0x876402c0],
    ),
    (
        "UmRdpService",
        [0x7814c1fa, 0x62bffacd, 0xe553e9d8, 0x36c5ce3f, 0x932f1d58],
    ),
    (
        "UserManager",
        [0x77b8dce2, 0xed4e6c0f, 0x93214ef2, 0x7dddb404, 0xe6012345],
    ),
    (
        "VaultSvc",
        [0xaceeb3ae, 0x35659b1c, 0x7cf7eade, 0x0a2c85eb, 0x61a09402],
    ),
    (
        "vds",
        [0x82ea584c, 0x565684b5, 0x0c256e28, 0xe7c70970, 0xe1d9f541],
    ),
    (
        "VSS",
        [0xbe70c8df, 0xaaa3a260, 0xddf9b3f7, 0x6e1b53ef, 0xf0b98913],
    ),
    (
        "W32Time",
        [0xfe5a7571, 0xabd5b9f8, 0x2755fc0c, 0xa1315525, 0x8366d4e2],
    ),
    (
        "W3SVC",
        [0x3aff198e, 0xf3d5645e, 0x79a5f42c, 0x3a584c46, 0x821d7d53],
    ),
    (
        "WAS",
        [0x3f4a2ad0, 0x09fe147d, 0x92714eaf, 0xef413eac, 0x4bf14334],
    ),
    (
        "WdiServiceHost",
        [0xbb1bbf6e, 0xb1d2ef45, 0xdb453b4a, 0x27435b50, 0x6bd85804],
    ),
    (
        "WdiSystemHost",
        [0xd2178bf3, 0xb83c7c66, 0x1499b22c, 0x8a6e88a0, 0xd27272be],
    ),
    (
        "WdNisSvc",
        [0xdaad9cd1, 0x9325bef4, 0xf375cf76, 0xb48e3ffd, 0x19a8d2ec],
    ),
    (
        "Wecsvc",
        [0xf1fab443, 0x3454d4d3, 0x4a3ed5a8, 0x1f6c0a53, 0xb29bee3d],
    ),
    (
        "WerSvc",
        [0xc4affe30, 0xff7c0be9, 0x41097c0c, 0xd59bb71f, 0x674300dc],
    ),
    (
        "WinDefend",
        [0x720855bf, 0xd028e03b, 0xf84b7989, 0x7c6e8991, 0xf4ec2540],
    ),
    (
        "WindowsAzureGuestAgent",
        [0x82c8a1aa, 0x80826432, 0x65c0cc55, 0xd86c2b2d, 0x2366a14e],
    ),
    (
        "WinHttpAutoProxySvc",
        [0x925ae336, 0xbaa21059, 0xd7a18cc8, 0x237d0455, 0xe0d4e16d],
    ),
    (
        "Winmgmt",
        [0xdf8d045a, 0x0a43c7f9, 0xe7d450b4, 0x72217a47, 0xf47041ab],
    ),
    (
        "WinRM",
        [0x21ee2a86, 0xb0095bd7, 0xad6c5ba4, 0x4d9383bb, 0x189067ea],
    ),
    (
        "WMSVC",
        [0x0f5d2923, 0x3d06794b, 0x2cc23fad, 0xce83114b, 0x56e24974],
    ),
    (
        "wuauserv",
        [0x3c728f1c, 0xc539e473, 0xc6810bb8, 0x103a18d2, 0x058fd32c],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_sids_are_computed() {
        assert_eq!(
            Sid::of_service("SessionEnv").to_string(),
            "S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833"
        );
        assert_eq!(
            Sid::of_service("trustedinstaller").to_string(),
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
        );
        assert_eq!(
            Sid::of_app_pool("DefaultAppPool").to_string(),
            "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415"
        );
    }

    #[test]
    fn every_known_service_has_the_hash_of_its_name() {
        for (name, words) in SERVICES {
            assert_eq!(
                Sid::of_service(name),
                Sid::hashed(SERVICE, *words),
                "{name}"
            );
        }
    }
}
