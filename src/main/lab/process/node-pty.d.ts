// The package is installed under another name than its types bear; this is what is used of it.
declare module "node-pty" {
  export interface IPty {
    readonly pid: number;
    onData(listener: (data: string) => void): void;
    onExit(listener: (end: { exitCode: number; signal?: number }) => void): void;
    write(data: string): void;
    resize(cols: number, rows: number): void;
    /** Its program waits when its output is not read. */
    pause(): void;
    resume(): void;
    kill(signal?: string): void;
  }
  export function spawn(
    file: string,
    args: string[],
    options: { name: string; cols: number; rows: number; env: NodeJS.ProcessEnv; cwd?: string },
  ): IPty;
}
