/** The page of a lab on loopback: at the port and behind the token it has had before, where that port is free. */
import { startWeb, WebError, type Web } from "../../web/server.ts";
import type { Channel, Reply } from "../api.ts";
import type { LabLog } from "../store/log.ts";
import { readPageFile, writePageFile } from "../store/page-file.ts";
import { Trouble } from "../trouble.ts";
import { pageDir } from "./entries.ts";

export interface LabPageOptions {
  readonly dir: string;
  readonly log: LabLog;
  readonly onChannel: (channel: Channel) => void;
  /** Throws where the directory is the lab's no longer. */
  readonly owned: () => void;
}

export class LabPage {
  private web: Web | undefined;
  /** The last that was asked for: two clients must not start two pages. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LabPageOptions) {}

  get url(): string | null {
    return this.web?.url ?? null;
  }

  /** Serves the page; whatever the port where none is asked for and one runs. Throws Trouble. */
  serve(port: number | undefined): Promise<Reply<"serve">> {
    const served = this.last.then(() => this.serveNow(port));
    this.last = served.catch(() => undefined);
    return served;
  }

  /** Serves it where it was served when the lab last ran, so that pages left open come back. @returns what is to be said of that; undefined: nothing */
  async again(): Promise<string | undefined> {
    if (readPageFile(this.options.dir) === undefined) return undefined;
    try {
      const { note } = await this.serve(undefined);
      return note === "" ? undefined : note;
    } catch (error) {
      return `the page is not served: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async close(): Promise<void> {
    await this.web?.close();
  }

  private async serveNow(port: number | undefined): Promise<Reply<"serve">> {
    const { web } = this;
    if (web !== undefined && (port === undefined || port === web.port)) return { url: web.url, opening: web.openingUrl(), note: "" };
    const before = readPageFile(this.options.dir);
    const { begun, note } = await this.begin(port, before?.port, before?.token ?? web?.token).catch((error: unknown) => {
      throw error instanceof WebError ? new Trouble("failed", error.message) : error;
    });
    await web?.close();
    this.web = begun;
    this.options.owned();
    writePageFile(this.options.dir, { port: begun.port, token: begun.token });
    return { url: begun.url, opening: begun.openingUrl(), note };
  }

  /** At the port asked for, else at the one it had; where somebody else has taken that, at another. */
  private async begin(
    asked: number | undefined,
    before: number | undefined,
    token: string | undefined,
  ): Promise<{ begun: Web; note: string }> {
    const at = (port: number | undefined): Promise<Web> =>
      startWeb({
        ...(port === undefined ? {} : { port }),
        ...(token === undefined ? {} : { token }),
        staticDir: pageDir(),
        onChannel: this.options.onChannel,
        onRefused: (why) => this.options.log.warn(`web: ${why}`),
      });
    if (asked !== undefined || before === undefined) return { begun: await at(asked), note: "" };
    try {
      return { begun: await at(before), note: "" };
    } catch (error) {
      if (!(error instanceof WebError) || (error.code !== "port-in-use" && error.code !== "port-forbidden")) throw error;
      const begun = await at(undefined);
      return { begun, note: `another program has port ${before} of the page now; the page is at port ${begun.port}` };
    }
  }
}
