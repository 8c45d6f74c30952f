// Types of setup.mjs, for the tests that use it.
export declare const root: string;
export declare const electronInstallCommand: string;
export declare function say(line: string): void;
export declare function electronBinary(): string | undefined;
export declare function chromiumBinary(): string | undefined;
export declare function installNeeded(dir?: string): string | undefined;
export declare function buildNeeded(): boolean;
export declare function sourceStamp(): string;
export declare function isRoot(): boolean;
