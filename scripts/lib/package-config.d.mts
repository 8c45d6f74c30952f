// Types of package-config.mjs, for the tests that read it.
export declare function files(platform: string, arch: string): string[];
export declare function packageConfig(of: {
  platform: string;
  arch: string;
  electron: { version: string; dist?: string };
  output: string;
}): {
  electronFuses: Record<string, boolean>;
  files: string[];
  electronVersion: string;
  asarUnpack: string[];
  protocols: { schemes: string[] }[];
  fileAssociations: { ext: string }[];
};
