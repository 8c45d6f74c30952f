/** A process that serves a small tree in memory: what the requests of a served mount are answered with, one by one, when it is asked to. */
import type { ServedAttr, ServedReply, ServedRequest } from "../../src/engine/kernel/index.ts";

interface Node {
  readonly type: "file" | "directory" | "symlink";
  data: Uint8Array;
  readonly target: string;
}

const fail = (errno: "ENOENT" | "EEXIST" | "ENOTEMPTY"): ServedReply => ({ ok: false, errno });
const done: ServedReply = { ok: true, value: "done" };

export class TinyServer {
  readonly nodes = new Map<string, Node>([["/", { type: "directory", data: new Uint8Array(0), target: "" }]]);

  put(path: string, type: Node["type"], content = ""): this {
    this.nodes.set(path, {
      type,
      data: type === "file" ? new TextEncoder().encode(content) : new Uint8Array(0),
      target: type === "symlink" ? content : "",
    });
    return this;
  }

  private attr(node: Node): ServedAttr {
    const { type } = node;
    const mode = type === "directory" ? 0o755 : type === "symlink" ? 0o777 : 0o640;
    return { type, mode, nlink: type === "directory" ? 2 : 1, uid: 0, gid: 33, size: node.data.length, atime: 0, mtime: 0, ctime: 0 };
  }

  answer(request: ServedRequest): ServedReply {
    if (request.op === "rename" || request.op === "link") return this.move(request);
    const node = this.nodes.get(request.path);
    if (request.op === "create" || request.op === "mkdir" || request.op === "symlink") {
      if (node !== undefined) return fail("EEXIST");
      const type = request.op === "create" ? "file" : request.op === "mkdir" ? "directory" : "symlink";
      this.put(request.path, type, request.op === "symlink" ? request.target : "");
      return request.op === "create" ? { ok: true, value: "handle", handle: 7 } : done;
    }
    return node === undefined ? fail("ENOENT") : this.onNode(node, request);
  }

  private onNode(node: Node, request: ServedRequest): ServedReply {
    switch (request.op) {
      case "getattr":
        return { ok: true, value: "attr", attr: this.attr(node) };
      case "readlink":
        return { ok: true, value: "target", target: node.target };
      case "readdir":
        return { ok: true, value: "entries", entries: this.below(request.path) };
      case "open":
        return { ok: true, value: "handle", handle: 7 };
      case "read":
        return { ok: true, value: "data", data: node.data.slice(request.at, request.at + request.length) };
      case "write": {
        const data = new Uint8Array(Math.max(node.data.length, request.at + request.data.length));
        data.set(node.data);
        data.set(request.data, request.at);
        node.data = data;
        return { ok: true, value: "count", count: request.data.length };
      }
      case "truncate":
        node.data = node.data.slice(0, request.length);
        return done;
      case "unlink":
      case "rmdir":
        if (this.below(request.path).length > 0) return fail("ENOTEMPTY");
        this.nodes.delete(request.path);
        return done;
      case "statfs":
        return { ok: true, value: "statfs", statfs: { blockSize: 4096, blocks: 32_768, free: 32_760, files: 262_144, filesFree: 262_140 } };
      default:
        return done;
    }
  }

  private below(path: string): { name: string; type: Node["type"] }[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    const names = [...this.nodes].filter(([p]) => p !== "/" && p.startsWith(prefix) && !p.slice(prefix.length).includes("/"));
    return names.map(([p, node]) => ({ name: p.slice(prefix.length), type: node.type }));
  }

  private move(request: Extract<ServedRequest, { op: "rename" | "link" }>): ServedReply {
    const moved = [...this.nodes].filter(([p]) => p === request.from || p.startsWith(`${request.from}/`));
    if (moved.length === 0) return fail("ENOENT");
    for (const [path, node] of moved) {
      if (request.op === "rename") this.nodes.delete(path);
      this.nodes.set(request.to + path.slice(request.from.length), node);
    }
    return done;
  }
}
