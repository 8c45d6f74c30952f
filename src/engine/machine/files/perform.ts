/** What a call on a served file system needs of the machine itself, answered at once; in the real stack the VFS above fuse. */
import type { FileReply } from "../../kernel/index.ts";
import { localCall } from "./local-calls.ts";
import { DONE, count, failed, pathReply, type Context } from "./replies.ts";
import type { Answer, Step } from "./served-path.ts";
import { walk } from "./walk.ts";

type OwnStep = Exclude<Step, { step: "serve" }>;

export function perform(c: Context, step: OwnStep, waiting: (mount: number) => boolean): Answer {
  const { table, views, view } = c;
  switch (step.step) {
    case "walk": {
      const walked = walk(table, view, step.path, step.follow, step.links);
      if (typeof walked === "string") return { errno: walked };
      return "point" in walked ? walked : { local: true };
    }
    case "local": {
      const reply = localCall({ ...c, links: step.links }, step.call, waiting);
      // The walk before it, at this very moment, has said that it stays on this machine.
      return reply === "served" ? failed("EIO") : reply;
    }
    case "above":
    case "mount point": {
      const { on } = table.get(step.mount);
      if (on === undefined) return failed("ENOENT");
      return pathReply(step.step === "above" ? table.pathOf(table.up(on)) : table.pathOf(on));
    }
    case "describe":
      return views.description(view.pid, step.fd) ?? failed("EBADF");
    case "umask":
      return count(view.umask);
    case "free descriptor": {
      const fd = views.free(view.pid);
      return fd === undefined ? failed("EMFILE") : { ok: true, value: "fd", fd };
    }
    case "install":
      return install(c, step);
    case "offset":
      views.update(step.id, { offset: step.offset });
      return count(step.offset);
    case "chdir":
      views.chdir(view.pid, { mount: step.mount, ino: 0, inside: step.inside });
      return DONE;
    case "mount facts":
      return mountFacts(c, step.mount);
    case "renamed":
      views.renamedInside(step.mount, step.from, step.to);
      return DONE;
  }
}

function install(c: Context, step: Extract<Step, { step: "install" }>): FileReply {
  const fd = c.views.free(c.view.pid);
  if (fd === undefined) return failed("EMFILE");
  c.views.open(c.view.pid, fd, {
    ...{ place: { mount: step.mount, ino: 0, inside: step.inside }, access: step.flags.access, append: step.flags.append === true },
    ...{ directory: step.directory, offset: 0, handle: step.handle, entry: { dir: 0, name: "" } },
  });
  return { ok: true, value: "fd", fd };
}

/** What the machine knows of a served mount for statfs; its sizes are the server's. */
function mountFacts(c: Context, id: number): FileReply {
  const mount = c.table.get(id);
  const { type, source, readOnly } = mount;
  const mountPoint = c.table.pathOf(c.table.rootOf(mount)) ?? "/";
  const sizes = { blockSize: 4096, blocks: 0, free: 0, files: 0, filesFree: 0 };
  return { ok: true, value: "statfs", statfs: { type, source, mountPoint, readOnly, ...sizes } };
}
