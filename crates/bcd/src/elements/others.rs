//! Elements of the smaller applications, of devices, of setup's templates, and elements that any
//! application may have.

use super::{ElementInfo, Source};

/// BcdResumeElementTypes.
#[rustfmt::skip] // one element, one line
pub(super) const RESUME: [ElementInfo; 9] = [
    ElementInfo::new(0x2100_0001, Some("Reserved1"), Some("filedevice"), Source::Reference),
    ElementInfo::new(0x2200_0002, Some("Reserved2"), Some("filepath"), Source::Reference),
    ElementInfo::new(0x2600_0003, Some("BcdResumeBoolean_UseCustomSettings"), Some("customsettings"), Source::Reference),
    ElementInfo::new(0x2600_0004, None, Some("pae"), Source::BitLocker),
    ElementInfo::new(0x2100_0005, Some("BcdResumeDevice_AssociatedOsDevice"), Some("associatedosdevice"), Source::Reference),
    ElementInfo::new(0x2600_0006, Some("BcdResumeBoolean_DebugOptionEnabled"), Some("debugoptionenabled"), Source::Reference),
    ElementInfo::new(0x2500_0007, None, Some("bootux"), Source::BitLocker).names(&["Disabled", "Basic", "Standard"]),
    ElementInfo::new(0x2500_0008, Some("BcdResumeInteger_BootMenuPolicy"), Some("bootmenupolicy"), Source::Reference).names(&["Legacy", "Standard"]),
    ElementInfo::new(0x2600_0024, None, Some("hormenabled"), Source::Unsure),
];

/// BcdMemDiagElementTypes.
#[rustfmt::skip] // one element, one line
pub(super) const MEMORY_TESTER: [ElementInfo; 12] = [
    ElementInfo::new(0x2500_0001, Some("BcdMemDiagInteger_PassCount"), Some("passcount"), Source::Reference),
    ElementInfo::new(0x2500_0002, Some("BcdMemDiagInteger_TestMix"), Some("testmix"), Source::BitLocker).names(&["Basic", "Extended"]),
    ElementInfo::new(0x2500_0003, Some("BcdMemDiagInteger_FailureCount"), Some("failurecount"), Source::Reference),
    ElementInfo::new(0x2600_0003, None, Some("cacheenable"), Source::BitLocker),
    ElementInfo::new(0x2500_0004, Some("BcdMemDiagInteger_TestToFail"), Some("testtofail"), Source::Tables).names(&["Stride", "Mats", "InverseCoupling", "RandomPattern", "Checkerboard"]),
    ElementInfo::new(0x2600_0004, None, Some("failuresenabled"), Source::BitLocker),
    ElementInfo::new(0x2500_0005, None, Some("stridefailcount"), Source::BitLocker),
    ElementInfo::new(0x2600_0005, Some("BcdMemDiagBoolean_CacheEnable"), None, Source::Unsure),
    ElementInfo::new(0x2500_0006, None, Some("invcfailcount"), Source::BitLocker),
    ElementInfo::new(0x2500_0007, None, Some("matsfailcount"), Source::BitLocker),
    ElementInfo::new(0x2500_0008, None, Some("randfailcount"), Source::BitLocker),
    ElementInfo::new(0x2500_0009, None, Some("chckrfailcount"), Source::BitLocker),
];

/// The loader of Windows before Vista.
#[rustfmt::skip] // one element, one line
pub(super) const LEGACY_LOADER: [ElementInfo; 1] = [
    ElementInfo::new(0x2200_0001, None, Some("bpbstring"), Source::Tables),
];

/// The network start program.
#[rustfmt::skip] // one element, one line
pub(super) const STARTUP: [ElementInfo; 2] = [
    ElementInfo::new(0x2600_0001, Some("BcdStartupBoolean_PxeSoftReboot"), Some("pxesoftreboot"), Source::Tables),
    ElementInfo::new(0x2200_0002, Some("BcdStartupString_PxeApplicationName"), Some("applicationname"), Source::Tables),
];

/// BcdDeviceObjectElementTypes.
#[rustfmt::skip] // one element, one line
pub(super) const DEVICE: [ElementInfo; 13] = [
    ElementInfo::new(0x3500_0001, Some("BcdDeviceInteger_RamdiskImageOffset"), Some("ramdiskimageoffset"), Source::Reference),
    ElementInfo::new(0x3500_0002, Some("BcdDeviceInteger_TftpClientPort"), Some("ramdisktftpclientport"), Source::Reference),
    ElementInfo::new(0x3100_0003, Some("BcdDeviceInteger_SdiDevice"), Some("ramdisksdidevice"), Source::Reference),
    ElementInfo::new(0x3200_0004, Some("BcdDeviceInteger_SdiPath"), Some("ramdisksdipath"), Source::Reference),
    ElementInfo::new(0x3500_0005, Some("BcdDeviceInteger_RamdiskImageLength"), Some("ramdiskimagelength"), Source::Reference),
    ElementInfo::new(0x3600_0006, Some("BcdDeviceBoolean_RamdiskExportAsCd"), Some("exportascd"), Source::Reference),
    ElementInfo::new(0x3500_0007, Some("BcdDeviceInteger_RamdiskTftpBlockSize"), Some("ramdisktftpblocksize"), Source::BitLocker),
    ElementInfo::new(0x3500_0008, Some("BcdDeviceInteger_RamdiskTftpWindowSize"), Some("ramdisktftpwindowsize"), Source::BitLocker),
    ElementInfo::new(0x3600_0009, Some("BcdDeviceBoolean_RamdiskMulticastEnabled"), Some("ramdiskmcenabled"), Source::Reference),
    ElementInfo::new(0x3600_000a, Some("BcdDeviceBoolean_RamdiskMulticastTftpFallback"), Some("ramdiskmctftpfallback"), Source::Reference),
    ElementInfo::new(0x3600_000b, Some("BcdDeviceBoolean_RamdiskTftpVarWindow"), Some("ramdisktftpvarwindow"), Source::Reference),
    ElementInfo::new(0x3600_000c, None, Some("vhdramdiskboot"), Source::Unsure),
    ElementInfo::new(0x3500_000d, None, Some("vhdramdisklength"), Source::Unsure),
];

/// Elements that Windows setup reads from its templates.
#[rustfmt::skip] // one element, one line
pub(super) const TEMPLATE: [ElementInfo; 6] = [
    ElementInfo::new(0x4500_0001, Some("BcdSetupInteger_DeviceType"), Some("devicetype"), Source::Tables),
    ElementInfo::new(0x4200_0002, Some("BcdSetupString_ApplicationRelativePath"), Some("applicationrelativepath"), Source::Tables),
    ElementInfo::new(0x4200_0003, Some("BcdSetupString_RamdiskDeviceRelativePath"), Some("ramdiskdevicerelativepath"), Source::Tables),
    ElementInfo::new(0x4600_0004, Some("BcdSetupBoolean_OmitOsLoaderElements"), Some("omitosloaderelements"), Source::Tables),
    ElementInfo::new(0x4700_0006, Some("BcdSetupIntegerList_ElementsToMigrateList"), Some("elementstomigrate"), Source::Tables).hex(),
    ElementInfo::new(0x4600_0010, Some("BcdSetupBoolean_RecoveryOs"), Some("recoveryos"), Source::Tables),
];

/// Application elements of mobile devices, which have one meaning in every application.
#[rustfmt::skip] // one element, one line
pub(super) const ANY_APPLICATION: [ElementInfo; 5] = [
    ElementInfo::new(0x2600_0202, None, Some("skipffumode"), Source::Tables),
    ElementInfo::new(0x2600_0203, None, Some("forceffumode"), Source::Tables),
    ElementInfo::new(0x2500_0510, None, Some("chargethreshold"), Source::Tables),
    ElementInfo::new(0x2600_0512, None, Some("offmodecharging"), Source::Tables),
    ElementInfo::new(0x2500_0aaa, None, Some("bootflow"), Source::Tables),
];
