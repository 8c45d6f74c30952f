/**
 * Keys that systemd knows and that change nothing in this lab: units of Debian and Proxmox VE have many of them, and none is worth a complaint. In the real stack:
 * load-fragment-gperf.gperf; systemd.exec(5), systemd.resource-control(5). Left out: what no unit of a Proxmox VE node sets.
 */

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((w) => w !== ""));

export const KNOWN_KEYS = {
  /** What may follow `Condition` and `Assert`. */
  checks: list(
    `PathExists PathExistsGlob PathIsDirectory PathIsSymbolicLink PathIsMountPoint PathIsReadWrite DirectoryNotEmpty FileNotEmpty
     FileIsExecutable Host KernelCommandLine Virtualization Architecture Security Capability ACPower NeedsUpdate FirstBoot Environment
     User Group ControlGroupController Memory CPUs KernelVersion Firmware CPUFeature OSRelease Credential PathIsEncrypted`,
  ),
  unit: list(
    `PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf RequiresMountsFor OnFailureJobMode OnSuccessJobMode
     OnFailureIsolate StopWhenUnneeded JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument StartLimitAction RebootArgument SourcePath Upholds
     CollectMode FailureActionExitStatus SuccessActionExitStatus SurviveFinalKillSignal WantsMountsFor`,
  ),
  install: list("UpheldBy"),
  exec: list(
    `BusName NotifyAccess GuessMainPID ExitType Sockets FileDescriptorStoreMax NonBlocking PermissionsStartOnly RootDirectoryStartOnly TimeoutStartFailureMode
     TimeoutStopFailureMode RestartMode RestartSteps RestartMaxDelaySec OOMPolicy USBFunctionDescriptors ReloadSignal RuntimeRandomizedExtraSec
     Group SupplementaryGroups DynamicUser Nice OOMScoreAdjust CPUSchedulingPolicy CPUSchedulingPriority CPUAffinity IOSchedulingClass
     IOSchedulingPriority UMask RootDirectory PassEnvironment UnsetEnvironment StandardInput StandardOutput StandardError SyslogIdentifier SyslogFacility
     SyslogLevel TTYPath TTYReset TTYVHangup TTYVTDisallocate LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst LogsDirectory LogsDirectoryMode
     RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve StateDirectory StateDirectoryMode CacheDirectory CacheDirectoryMode ConfigurationDirectory
     PrivateTmp PrivateDevices PrivateNetwork PrivateUsers PrivateMounts ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ProtectKernelLogs
     ProtectControlGroups ProtectClock ProtectHostname ProtectProc ProcSubset NoNewPrivileges CapabilityBoundingSet AmbientCapabilities
     SecureBits SystemCallFilter SystemCallArchitectures SystemCallErrorNumber RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID
     LockPersonality MemoryDenyWriteExecute RemoveIPC KeyringMode PAMName UtmpIdentifier UtmpMode IgnoreSIGPIPE MountFlags ReadWritePaths
     ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths BindPaths BindReadOnlyPaths TemporaryFileSystem LimitNOFILE LimitNPROC LimitCORE LimitMEMLOCK
     LimitSTACK LimitAS LimitCPU LimitFSIZE LimitDATA LimitRSS LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO LimitRTTIME
     LoadCredential SetCredential Slice Delegate CPUWeight CPUQuota CPUAccounting MemoryMax MemoryHigh MemoryLow MemoryMin MemorySwapMax
     MemoryAccounting TasksMax TasksAccounting IOWeight IOAccounting BlockIOAccounting IPAccounting IPAddressAllow IPAddressDeny DeviceAllow DevicePolicy
     ManagedOOMSwap ManagedOOMMemoryPressure WakeSystem OnClockChange OnTimezoneChange DeferReactivation`,
  ),
} as const;
