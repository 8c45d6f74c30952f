// Types of electron.mjs, for the tests that use it.
export declare const XVFB: string;
export declare const XDOTOOL: string;
export declare function electronForTests(): string | undefined;
export declare function ensureElectronForTests(): Promise<string | undefined>;
