# Repairs the Windows on the disk that is attached to this repair VM, with diskmend.
#
# For 'az vm repair run --custom-script-file', which passes no parameters and allows no param()
# block: set the five settings here. If arguments do arrive, as from a copy of the script library,
# arguments such as '-recipes tls,nla -dryrun yes' replace the settings.
# docs/runbooks/az-vm-repair.md says how to use the script and what its output means.
#
# It is made for Windows PowerShell 5.1 and runs as SYSTEM. It is plain ASCII, because that PowerShell
# would read other characters in the machine's code page.

# All five are strings.
$diskmendSettings = @{
    # Repairs, with spaces or commas between them.
    recipes     = 'rdp-internal-error'
    # The https address of the program: diskmend.exe, or the archive for Windows (.zip).
    # Empty: the program is installed already, as C:\Program Files\diskmend\diskmend.exe.
    url         = ''
    # The SHA-256 of the file at that address, or of the installed program.
    sha256      = ''
    # 'yes': show what a repair would change and write nothing.
    dryrun      = 'no'
    # The drive letter of the Windows to repair, if several are attached.
    driveletter = ''
}

# Writes a line in the form of the script library's logger, which 'az vm repair run' evaluates.
# No text from a file, a disk or a program can look like the line with the result.
function Write-DiskmendLog {
    param([string]$Level, [string]$Text)
    $time = [datetime]::Now.ToString('MM/dd/yyyy HH:mm:ss', [cultureinfo]::InvariantCulture)
    $safe = ($Text -replace '\p{C}+', ' ') -replace '\[STATUS\]', '(STATUS)'
    Write-Output ('[{0} {1}]{2}' -f $Level, $time, $safe)
}

# Reads '-name value' pairs into the settings. A value may have several parts.
function Set-DiskmendSetting {
    param([hashtable]$Settings, [object[]]$Given)
    $name = ''
    $values = @{}
    foreach ($part in $Given) {
        $text = [string]$part
        if ($text -match '^-([A-Za-z0-9]+):?$') {
            $name = $Matches[1].ToLowerInvariant()
            if (-not $Settings.ContainsKey($name)) {
                throw "there is no setting '$name': $(($Settings.Keys | Sort-Object) -join ', ')"
            }
            $values[$name] = ''
        }
        elseif ($name -eq '') {
            throw "'$text' comes before the name of a setting"
        }
        else {
            $values[$name] = ($values[$name] + ' ' + $text).Trim()
        }
    }
    foreach ($key in $values.Keys) {
        $Settings[$key] = $values[$key]
    }
}

# Checks the settings. Throws if one of them is invalid.
function Resolve-DiskmendSetting {
    param([hashtable]$Settings)
    $recipes = @($Settings.recipes -split '(?:[,\s]|%20)+' | Where-Object { $_ -ne '' })
    if ($recipes.Count -eq 0) {
        throw 'recipes: name at least one repair'
    }
    foreach ($recipe in $recipes) {
        if ($recipe -cnotmatch '^[a-z0-9][a-z0-9-]*$') {
            throw "recipes: '$recipe' is not the name of a repair"
        }
    }
    $sha256 = $Settings.sha256.Trim()
    if ($sha256 -notmatch '^[0-9A-Fa-f]{64}$') {
        throw 'sha256: 64 hexadecimal digits are needed, so that nothing else is run than what was meant'
    }
    $url = $Settings.url.Trim()
    if ($url -ne '') {
        $parsed = $null
        if (-not [uri]::TryCreate($url, [System.UriKind]::Absolute, [ref]$parsed) -or
            $parsed.Scheme -ne 'https') {
            throw 'url: it must begin with https://'
        }
    }
    $dryRun = switch ($Settings.dryrun.Trim().ToLowerInvariant()) {
        { $_ -in 'yes', 'true', '1' } { $true; break }
        { $_ -in '', 'no', 'false', '0' } { $false; break }
        default { throw "dryrun: 'yes' or 'no', not '$_'" }
    }
    $letter = ''
    if ($Settings.driveletter.Trim() -match '^([A-Za-z])(?::\\?)?$') {
        $letter = $Matches[1].ToUpperInvariant()
    }
    elseif ($Settings.driveletter.Trim() -ne '') {
        throw "driveletter: '$($Settings.driveletter)' is not a drive letter"
    }
    @{
        Recipes = $recipes
        Sha256  = $sha256
        Url     = $url
        DryRun  = $dryRun
        Letter  = $letter
    }
}

# The program, after its SHA-256 was checked.
function Get-DiskmendProgram {
    param([string]$Folder, [string]$Url, [string]$Sha256)
    if ($Url -eq '') {
        $program = Join-Path (Split-Path -Parent $Folder) 'diskmend.exe'
        if (-not [System.IO.File]::Exists($program)) {
            throw "$program is not there: copy it there, or set url to the address to download it from"
        }
        $checked = $program
    }
    else {
        $name = [System.IO.Path]::GetFileName(([uri]$Url).AbsolutePath)
        $isArchive = $name -like '*.zip'
        $checked = Join-Path $Folder 'diskmend.exe'
        if ($isArchive) {
            $checked = Join-Path $Folder 'diskmend.zip'
        }
        $protocols = [Net.ServicePointManager]::SecurityProtocol
        [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
        Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $checked
    }
    $found = (Get-FileHash -LiteralPath $checked -Algorithm SHA256).Hash
    if ($found -ne $Sha256) {
        throw "$checked has the SHA-256 $found, not $Sha256 as it should: it was not run"
    }
    if ($Url -eq '' -or -not $isArchive) {
        return $checked
    }
    $unpacked = Join-Path $Folder 'unpacked'
    Expand-Archive -LiteralPath $checked -DestinationPath $unpacked
    $programs = @(Get-ChildItem -LiteralPath $unpacked -Recurse -File -Filter 'diskmend.exe')
    if ($programs.Count -ne 1) {
        throw "the archive holds $($programs.Count) files diskmend.exe, not one"
    }
    $programs[0].FullName
}

# The disks that may hold the Windows to repair: those that a host attaches, except the disk that this
# machine runs from. The disks' model names don't help, because they differ between kinds of VMs.
function Get-AttachedDisk {
    $own = @((Get-Partition -DriveLetter $env:SystemDrive[0]).DiskNumber)
    $kinds = 'SCSI', 'SAS', 'RAID', 'ATA', 'SATA', 'NVMe'
    Get-Disk | Where-Object {
        -not $_.IsBoot -and -not $_.IsSystem -and $_.Number -notin $own -and
        $kinds -contains [string]$_.BusType
    } | Sort-Object -Property Number
}

# Brings a disk online, makes it writable, and remembers what was changed.
function Enable-AttachedDisk {
    param($Disk, [bool]$ForWriting, [hashtable]$Changed)
    $number = [int]$Disk.Number
    if ($Disk.IsOffline) {
        $reason = [string]$Disk.OfflineReason
        # Windows would give it another signature when it comes online, and its boot store would no
        # longer find it.
        if ($reason -in '4', 'Collision') {
            throw ("disk $number is offline because another disk has its signature: attach it to a " +
                'repair VM that was made from another image')
        }
        Set-Disk -Number $number -IsOffline $false
        $Changed.Online += $number
        if ((Get-Disk -Number $number).IsOffline) {
            throw "disk $number stays offline ($reason)"
        }
        Write-DiskmendLog Info "disk $number was offline ($reason) and is online now"
    }
    if ($ForWriting -and (Get-Disk -Number $number).IsReadOnly) {
        Set-Disk -Number $number -IsReadOnly $false
        $Changed.Writable += $number
        if ((Get-Disk -Number $number).IsReadOnly) {
            throw "disk $number stays read-only"
        }
        Write-DiskmendLog Info "disk $number was read-only and is writable now"
    }
}

# Restores the state in which the disks were found.
function Restore-AttachedDisk {
    param([hashtable]$Changed)
    foreach ($number in $Changed.Writable) {
        try {
            Set-Disk -Number $number -IsReadOnly $true
        }
        catch {
            Write-DiskmendLog Warning "disk $number stays writable: $($_.Exception.Message)"
        }
    }
    foreach ($number in $Changed.Online) {
        try {
            Set-Disk -Number $number -IsOffline $true
            Write-DiskmendLog Info "disk $number is offline again"
        }
        catch {
            Write-DiskmendLog Warning "disk $number stays online: $($_.Exception.Message)"
        }
    }
}

# Windows finds partitions and assigns letters some time after a disk comes online. Waits for both, at
# most a minute, and returns the partitions with a letter and those that should have one.
function Wait-DriveLetter {
    param([int[]]$DiskNumbers)
    $deadline = [datetime]::UtcNow.AddSeconds(60)
    do {
        $all = @(Get-Partition | Where-Object { $DiskNumbers -contains [int]$_.DiskNumber })
        $usual = @($all | Where-Object {
                [string]$_.Type -in 'Basic', 'IFS' -and
                -not $_.IsHidden -and -not $_.NoDefaultDriveLetter
            })
        $without = @($usual | Where-Object { [int][char]$_.DriveLetter -eq 0 })
        $seen = @($all | ForEach-Object { [int]$_.DiskNumber })
        $unseen = @(Get-Disk | Where-Object {
                $DiskNumbers -contains [int]$_.Number -and $seen -notcontains [int]$_.Number -and
                [string]$_.PartitionStyle -ne 'RAW'
            })
        $complete = $without.Count -eq 0 -and $unseen.Count -eq 0
        if (-not $complete) {
            Start-Sleep -Seconds 3
        }
    } until ($complete -or [datetime]::UtcNow -ge $deadline)
    @{
        With    = @($all | Where-Object { [int][char]$_.DriveLetter -ne 0 })
        Without = $without
    }
}

# The partition with the Windows to repair. Throws if it isn't clear which one that is.
function Select-WindowsPartition {
    param($Partitions, [string]$Letter)
    $windows = @($Partitions.With | Where-Object {
            [System.IO.File]::Exists("$($_.DriveLetter):\Windows\System32\config\SYSTEM")
        })
    $letters = @($windows | ForEach-Object { "$($_.DriveLetter):" }) -join ' '
    if ($Letter -ne '') {
        $named = @($windows | Where-Object { [string]$_.DriveLetter -eq $Letter })
        if ($named.Count -ne 1) {
            throw "there is no Windows on an attached disk as ${Letter}: but as: $letters"
        }
        return $named[0]
    }
    if ($windows.Count -gt 1) {
        throw "several Windows are attached: $letters; say in the setting driveletter which one is meant"
    }
    if ($windows.Count -eq 1) {
        return $windows[0]
    }
    $why = @('no attached disk holds a Windows')
    foreach ($partition in $Partitions.With) {
        $drive = "$($partition.DriveLetter):"
        if (-not [System.IO.DriveInfo]::new($drive).IsReady) {
            $why += "$drive can't be read: it is locked by BitLocker, or damaged"
        }
    }
    foreach ($partition in $Partitions.Without) {
        $why += "disk $($partition.DiskNumber) partition $($partition.PartitionNumber) has no drive letter"
    }
    throw ($why -join '; ')
}

# The name of the volume with the boot store, if it isn't the Windows volume; otherwise nothing.
function Get-BootVolume {
    param($Windows)
    $disk = Get-Disk -Number $Windows.DiskNumber
    $others = @(Get-Partition -DiskNumber $Windows.DiskNumber |
            Where-Object { $_.PartitionNumber -ne $Windows.PartitionNumber })
    if ([string]$disk.PartitionStyle -eq 'GPT') {
        $efi = '{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}'
        $boot = @($others | Where-Object { [string]$_.GptType -eq $efi })
    }
    else {
        $boot = @($others | Where-Object { $_.IsActive })
    }
    if ($boot.Count -ne 1) {
        return
    }
    $pattern = '^\\\\\?\\Volume\{[0-9A-Fa-f-]{36}\}\\$'
    @($boot[0].AccessPaths | Where-Object { $_ -match $pattern }) |
        Select-Object -First 1 |
        ForEach-Object { $_.TrimEnd('\') }
}

# Runs the program and returns its exit code and output.
function Invoke-DiskmendProgram {
    param([string]$Program, [string[]]$Arguments, [string]$Folder)
    $stdout = Join-Path $Folder 'stdout.json'
    $stderr = Join-Path $Folder 'stderr.txt'
    # No argument holds a space or a quote: Resolve-DiskmendSetting and Get-BootVolume make sure of that.
    $process = Start-Process -FilePath $Program -ArgumentList $Arguments -NoNewWindow -Wait -PassThru `
        -RedirectStandardOutput $stdout -RedirectStandardError $stderr
    $code = $process.ExitCode
    if ($null -eq $code) {
        throw 'diskmend.exe ended without an exit code'
    }
    @{
        Code   = [int]$code
        Stdout = [System.IO.File]::ReadAllText($stdout, [System.Text.Encoding]::UTF8)
        Stderr = [System.IO.File]::ReadAllText($stderr, [System.Text.Encoding]::UTF8)
    }
}

# A field of a JSON object; nothing if it is absent, which would be an error in strict mode.
function Get-JsonField {
    param($Object, [string]$Name)
    if ($null -ne $Object -and $null -ne $Object.PSObject.Properties[$Name]) {
        $Object.PSObject.Properties[$Name].Value
    }
}

# Reports in a few lines what the program did. 'az vm repair run' shows only the last 4096 bytes.
function Write-DiskmendReport {
    param([hashtable]$Result, [bool]$DryRun, [bool]$Succeeded, [string]$Folder)
    $good = 'Error'
    if ($Succeeded) {
        $good = 'Output'
    }
    $report = $null
    try {
        $report = $Result.Stdout | ConvertFrom-Json
    }
    catch {
        Write-DiskmendLog Warning "what diskmend.exe wrote is not JSON: $($_.Exception.Message)"
    }
    $most = 8
    foreach ($hive in @(Get-JsonField $report 'hives')) {
        if (-not $DryRun) {
            Write-DiskmendLog $good "written and read back: $(Get-JsonField $hive 'path')"
        }
    }
    $changes = @(Get-JsonField $report 'changes')
    if ($null -ne $report -and $null -eq (Get-JsonField $report 'error')) {
        $verb = 'changed'
        if ($DryRun) {
            $verb = 'to change'
        }
        Write-DiskmendLog $good "values ${verb}: $($changes.Count)"
    }
    $descriptors = Get-JsonField $report 'descriptors'
    if ($null -ne $descriptors) {
        $changed = Get-JsonField $descriptors 'changed'
        Write-DiskmendLog $good "files and folders with new permissions: $changed"
        $failed = Get-JsonField $descriptors 'failed'
        foreach ($note in @(Get-JsonField $failed 'listed' | Select-Object -First $most)) {
            $path = Get-JsonField $note 'path'
            Write-DiskmendLog Error "not repaired: ${path}: $(Get-JsonField $note 'reason')"
        }
    }
    foreach ($acl in @(Get-JsonField $report 'acls')) {
        $path = Get-JsonField $acl 'path'
        Write-DiskmendLog $good "permissions to set in ${path}: $(Get-JsonField $acl 'to_change')"
    }
    foreach ($skipped in @(Get-JsonField $report 'skipped')) {
        $hive = Get-JsonField $skipped 'hive'
        Write-DiskmendLog Error "left alone: ${hive}: $(Get-JsonField $skipped 'reason')"
    }
    foreach ($notice in @(Get-JsonField $report 'notices' | Select-Object -First $most)) {
        Write-DiskmendLog $good "note: $(Get-JsonField $notice 'text')"
    }
    $problem = Get-JsonField $report 'error'
    if ($null -ne $problem) {
        Write-DiskmendLog Error $problem
        foreach ($hint in @(Get-JsonField $report 'hints')) {
            Write-DiskmendLog Error "hint: $hint"
        }
    }
    elseif ($null -eq $report) {
        $lines = @($Result.Stderr -split '\r?\n' | Where-Object { $_ -ne '' })
        foreach ($line in @($lines | Select-Object -Last $most)) {
            Write-DiskmendLog Error $line
        }
    }
    foreach ($begun in @(Get-JsonField $report 'unfinished')) {
        $name = Get-JsonField $begun 'run'
        Write-DiskmendLog Warning "run $name was begun and did not end; it has to be undone first"
    }
    $run = Get-JsonField $report 'run'
    if ($null -ne $run) {
        $target = Get-JsonField $report 'target'
        Write-DiskmendLog $good "to undo, on this machine: diskmend.exe undo $target $run"
    }
    Write-DiskmendLog $good "everything it wrote: $Folder"
}

# The meaning of the exit code, as in 'diskmend help'.
function Get-ExitMeaning {
    param([int]$Code)
    $meanings = @{
        0 = 'done, or nothing to do'
        1 = 'failed; nothing was changed'
        2 = 'wrong usage; nothing was changed'
        3 = 'there are findings or pending changes'
        4 = 'some repairs failed, the others succeeded'
        5 = 'refused by a guard; nothing was changed'
        6 = 'failed, and the changes were rolled back'
        7 = 'failed, and the changes could not be rolled back'
    }
    if ($meanings.ContainsKey($Code)) {
        return $meanings[$Code]
    }
    'ended in a way that diskmend does not know: it was stopped, or could not be started'
}

# The whole job. Writes the log; $Outcome says if it succeeded.
function Invoke-Diskmend {
    param([hashtable]$Settings, [object[]]$Given, [hashtable]$Outcome)
    Set-StrictMode -Version 3.0
    $ErrorActionPreference = 'Stop'
    # The progress bar would slow down a download, and nobody would see it.
    $ProgressPreference = 'SilentlyContinue'
    $changed = @{ Online = @(); Writable = @() }
    try {
        Set-DiskmendSetting -Settings $Settings -Given $Given
        $wanted = Resolve-DiskmendSetting -Settings $Settings
        # Only administrators can write to this folder.
        $base = Join-Path $env:ProgramFiles 'diskmend'
        $folder = Join-Path $base ([datetime]::UtcNow.ToString('yyyyMMddTHHmmssfffZ'))
        New-Item -ItemType Directory -Path $folder | Out-Null
        $program = Get-DiskmendProgram -Folder $folder -Url $wanted.Url -Sha256 $wanted.Sha256
        $disks = @(Get-AttachedDisk)
        if ($disks.Count -eq 0) {
            throw 'no disk is attached to this machine'
        }
        foreach ($disk in $disks) {
            Enable-AttachedDisk -Disk $disk -ForWriting (-not $wanted.DryRun) -Changed $changed
        }
        $partitions = Wait-DriveLetter -DiskNumbers @($disks | ForEach-Object { [int]$_.Number })
        $windows = Select-WindowsPartition -Partitions $partitions -Letter $wanted.Letter
        $drive = "$($windows.DriveLetter):"
        if ($wanted.DryRun) {
            $arguments = @('plan', $drive) + $wanted.Recipes + @('--json')
        }
        else {
            $arguments = @('repair', $drive) + $wanted.Recipes + @('--yes', '--json')
        }
        $boot = Get-BootVolume -Windows $windows
        if ($null -ne $boot) {
            $arguments += @('--boot-volume', $boot)
        }
        Write-DiskmendLog Info "disk $($windows.DiskNumber): diskmend.exe $($arguments -join ' ')"
        $result = Invoke-DiskmendProgram -Program $program -Arguments $arguments -Folder $folder
        # Exit code 3 means only that the plan has something to do.
        $good = $result.Code -eq 0 -or ($wanted.DryRun -and $result.Code -eq 3)
        Write-DiskmendReport -Result $result -DryRun $wanted.DryRun -Succeeded $good -Folder $folder
        $level = 'Error'
        if ($good) {
            $level = 'Output'
        }
        Write-DiskmendLog $level "exit code $($result.Code): $(Get-ExitMeaning $result.Code)"
        $Outcome.Succeeded = $good
    }
    catch {
        Write-DiskmendLog Error $_.Exception.Message
        Write-DiskmendLog Debug "at line $($_.InvocationInfo.ScriptLineNumber)"
    }
    finally {
        Restore-AttachedDisk -Changed $changed
    }
}

$diskmendOutcome = @{ Succeeded = $false }
# There are no arguments if this text was appended to another script.
$diskmendGiven = @(
    Get-Variable -Name args -Scope 0 -ValueOnly -ErrorAction Ignore | ForEach-Object { $_ }
)
Invoke-Diskmend -Settings $diskmendSettings -Given $diskmendGiven -Outcome $diskmendOutcome
# The line with the result. It is put together here and is nowhere else, not even in this text: if the
# command finds it anywhere in the log, it considers the script successful.
$diskmendWord = 'ERROR'
if ($diskmendOutcome.Succeeded) {
    $diskmendWord = 'SUCCESS'
}
Write-Output ('[STATUS]::{0}' -f $diskmendWord)
