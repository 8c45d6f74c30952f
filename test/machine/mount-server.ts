/** A program that serves a small tree at /mnt, as FUSE's programs do. */
import {
  type Hasher,
  NEVER,
  type Handled,
  type Instant,
  type Os,
  type Program,
  type ProgramEvent,
  type ServedReply,
  type ServedRequest,
} from "../../src/engine/kernel/index.ts";
import { TinyServer } from "./tiny-server.ts";

export class MountServer implements Program {
  private readonly tree = new TinyServer().put("/motd", "file", "hello\n").put("/sub", "directory");
  private mount = 0;

  constructor(private readonly os: Os) {}

  start(): void {
    const reply = this.os.files.blocking({ call: "serve", path: "/mnt", source: "/dev/fuse", options: "nosuid,nodev,relatime" });
    if (reply.ok && reply.value === "count") this.mount = reply.count;
    else this.os.exit({ code: 1 });
  }

  event(event: ProgramEvent): void {
    if (event.kind === "served") this.os.files.answer(event.served.id, this.tree.answer(event.served.request));
    else if (event.kind === "unmounted" && event.mount === this.mount) this.os.exit({ code: 0 });
  }

  peekServed(mount: number, request: ServedRequest): ServedReply | "would-wait" {
    return mount === this.mount ? this.tree.answer(request) : "would-wait";
  }

  handles(): Handled {
    return [];
  }

  signal(): void {
    return;
  }

  nextTimerAt(): Instant {
    return NEVER;
  }

  runTimer(): void {
    return;
  }

  snapshot(): { readonly mount: number } {
    return { mount: this.mount };
  }

  restore(state: unknown): void {
    this.mount = (state as { readonly mount: number }).mount;
  }

  digest(h: Hasher): void {
    h.int(this.mount);
  }
}
