/** Small programs for tests of the process layer: each does one thing and says what it hears. */
import {
  Timers,
  cloneState,
  type Handled,
  type Hasher,
  type Instant,
  type IpcRequest,
  type Os,
  type Peeked,
  type Plain,
  type Program,
  type ProgramEvent,
  type ProgramMaker,
  type Signal,
  type TimersState,
} from "../../src/engine/kernel/index.ts";

interface ProbeState {
  timers: TimersState;
  numbers: { [name: string]: number };
  later: { id: number; seq: number }[];
  clients: number[];
}

/** Plain state and the calls every probe makes; what one does is in its subclass. */
abstract class Probe implements Program {
  protected readonly timers = new Timers();
  protected numbers: { [name: string]: number } = {};
  protected later: { id: number; seq: number }[] = [];
  protected clients: number[] = [];

  constructor(protected readonly os: Os) {}

  protected say(text: string): void {
    this.os.print("stdout", `${text}\n`);
  }

  protected after(name: string, micros: number): void {
    this.timers.set(name, this.os.now + micros);
  }

  protected count(name: string): number {
    return (this.numbers[name] = (this.numbers[name] ?? 0) + 1);
  }

  start(): void {
    this.say("begins");
  }

  nextTimerAt(): Instant {
    return this.timers.nextAt();
  }

  runTimer(now: Instant): void {
    const name = this.timers.pop(now);
    if (name !== undefined) this.timer(name);
  }

  timer(_name: string): void {
    return;
  }

  handles(): Handled {
    return [];
  }

  signal(signal: Signal): void {
    this.say(`caught ${signal}`);
  }

  event(_event: ProgramEvent): void {
    return;
  }

  snapshot(): Plain {
    const state: ProbeState = { timers: this.timers.snapshot(), numbers: this.numbers, later: this.later, clients: this.clients };
    return cloneState(state) as unknown as Plain;
  }

  restore(saved: Plain): void {
    const state = cloneState(saved) as unknown as ProbeState;
    this.timers.restore(state.timers);
    this.numbers = state.numbers;
    this.later = state.later;
    this.clients = state.clients;
  }

  digest(h: Hasher): void {
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    for (const [name, n] of Object.entries(this.numbers)) h.text(name).int(n);
    h.int(this.later.length).int(this.clients.length);
  }
}

/** `ticker MICROS`: says how late it is at every tick. */
class Ticker extends Probe {
  private get every(): number {
    return Number(this.os.argv[1]);
  }

  override start(): void {
    this.numbers["due"] = this.os.now + this.every;
    this.after("tick", this.every);
  }

  override timer(): void {
    this.say(`tick ${this.count("ticks")}, ${this.os.now - (this.numbers["due"] ?? 0)} late`);
    this.start();
  }
}

/** `catcher SIGNAL…`: catches these. `catcher` alone says the events of its stop. */
class Catcher extends Probe {
  override handles(): Handled {
    return this.os.argv.slice(1) as Signal[];
  }
}

/** `sleeper`: nothing ever. */
class Sleeper extends Probe {
  override start(): void {
    return;
  }
}

/** `ender CODE|SIGNAL [MICROS]`: ends, after a while or at once. */
class Ender extends Probe {
  override start(): void {
    const micros = Number(this.os.argv[2] ?? 0);
    if (micros === 0) this.timer();
    else this.after("end", micros);
  }

  override timer(): void {
    const word = this.os.argv[1] ?? "0";
    this.os.exit(/^[0-9]+$/.test(word) ? { code: Number(word) } : { signal: word as Signal });
  }
}

/** `parent ARGV`: spawns that, and says how it ended. */
class Parent extends Probe {
  override start(): void {
    const pid = this.os.spawn({ argv: this.os.argv.slice(1) });
    this.say(pid === undefined ? "cannot spawn" : "spawned");
  }

  override event(event: ProgramEvent): void {
    if (event.kind === "child") this.say(`child ended ${JSON.stringify(event.exit)}`);
  }
}

/** `listener PORT`: says what datagrams bring; `catcher` of lateness: it says when it caught up. */
class Listener extends Probe {
  override start(): void {
    const port = Number(this.os.argv[1]);
    if (!this.os.udp.bind("10.0.0.1", port)) this.os.exit({ code: 98 });
  }

  override event(event: ProgramEvent): void {
    if (event.kind === "datagram") this.say(`got ${new TextDecoder().decode(event.datagram.bytes)}`);
  }
}

/** `batcher PORT`: as `listener`, but one that says itself in which order it sees what waited. */
class Batcher extends Listener {
  catchUp(since: Instant, waiting: readonly ProgramEvent[]): void {
    this.say(`catches up ${waiting.length} since ${since}`);
    for (const event of [...waiting].reverse()) this.event(event);
  }

  resumed(): void {
    this.say("goes on");
  }
}

/** `daemon`: goes to the background, then says that it is ready. */
class Daemon extends Probe {
  override start(): void {
    this.os.detach();
    this.os.notifyReady();
    this.os.log("daemon", "info", `runs as ${this.os.pid}`);
  }
}

/**
 * `server NAME`: `echo` is answered at once, `later` after a second, `die` by exit 3, `tell` by N notices, `stop` closes the connection. Who comes and goes is said.
 */
class Server extends Probe {
  override start(): void {
    const name = this.os.argv[1] ?? "";
    if (!this.os.ipc.listen(name)) this.os.exit({ code: 1 });
  }

  override event(event: ProgramEvent): void {
    if (event.kind !== "ipc") return;
    const { event: ipc } = event;
    if (ipc.what === "accepted") {
      this.clients.push(ipc.id);
      this.say(`${ipc.peerName} connects`);
    } else if (ipc.what === "closed") {
      this.clients = this.clients.filter((id) => id !== ipc.id);
      this.later = this.later.filter((l) => l.id !== ipc.id);
      this.say("a client has gone");
    } else if (ipc.what === "request") this.request(ipc.id, ipc.seq, ipc.request);
  }

  private request(id: number, seq: number, request: IpcRequest): void {
    this.count(request.call);
    if (request.call === "echo") this.os.ipc.reply(id, seq, { text: request["text"] });
    else if (request.call === "later") {
      this.later.push({ id, seq });
      this.after("later", 1_000_000);
    } else if (request.call === "die") this.os.exit({ code: 3 });
    else if (request.call === "stop") this.os.ipc.close(id);
    else if (request.call === "tell") {
      let told = 0;
      while (told < Number(request["times"]) && this.os.ipc.notify(id, { event: "news", number: told + 1 })) told++;
      this.os.ipc.reply(id, seq, { told });
    } else this.os.ipc.reply(id, seq, { error: "CS_ERR_NOT_SUPPORTED" });
  }

  override timer(): void {
    for (const { id, seq } of this.later) this.os.ipc.reply(id, seq, { text: "late" });
    this.later = [];
  }

  peek(_service: string, request: IpcRequest): Peeked {
    return request.call === "echo" ? { peek: "reply", reply: { text: request["text"] } } : { peek: "would-wait" };
  }
}

/** `asker NAME CALL…`: asks each in turn without waiting for answers, and says what it hears. */
class Asker extends Probe {
  override start(): void {
    const id = this.os.ipc.connect(this.os.argv[1] ?? "");
    if (id === undefined) {
      this.say("refused");
      return;
    }
    for (const call of this.os.argv.slice(2))
      this.say(`asks ${call}: ${this.os.ipc.request(id, { call, text: call, times: 3 }) ?? "EAGAIN"}`);
  }

  override event(event: ProgramEvent): void {
    if (event.kind !== "ipc") return;
    const { event: ipc } = event;
    if (ipc.what === "reply") this.say(`answer ${ipc.seq}: ${JSON.stringify(ipc.reply)}`);
    else if (ipc.what === "notice") this.say(`notice ${JSON.stringify(ipc.notice["number"])}`);
    else if (ipc.what === "gone") this.say("server gone");
  }
}

/** `spinner`: two requests to itself for ever, at one instant. */
class Spinner extends Probe {
  override start(): void {
    this.os.ipc.listen("spin");
    const id = this.os.ipc.connect("spin");
    if (id !== undefined) this.os.ipc.request(id, { call: "again" });
  }

  override event(event: ProgramEvent): void {
    if (event.kind !== "ipc") return;
    if (event.event.what === "request") this.os.ipc.reply(event.event.id, event.event.seq, {});
    else if (event.event.what === "reply") this.os.ipc.request(event.event.id, { call: "again" });
  }
}

/** `pinger PORT MICROS`: sends a datagram to the other machine, and counts answers. */
class Pinger extends Probe {
  override start(): void {
    this.os.udp.bind("10.0.0.1", Number(this.os.argv[1]));
    this.after("send", Number(this.os.argv[2]));
  }

  override timer(): void {
    this.os.udp.send({
      proto: "udp",
      net: "lan",
      src: "10.0.0.1",
      srcPort: Number(this.os.argv[1]),
      dst: "10.0.0.2",
      dstPort: 9,
      bytes: new Uint8Array([this.count("sent") & 0xff]),
    });
    this.after("send", Number(this.os.argv[2]));
  }

  override event(): void {
    this.count("got");
  }
}

/** `reader PORT`: accepts connections, and says what it reads. */
class Reader extends Probe {
  override start(): void {
    this.os.tcp.listen(Number(this.os.argv[1]));
  }

  override event(event: ProgramEvent): void {
    if (event.kind !== "tcp") return;
    const { event: tcp } = event;
    this.say(tcp.kind === "data" ? `read ${new TextDecoder().decode(tcp.bytes)}` : tcp.kind);
    if (tcp.kind === "closed") this.os.tcp.close(tcp.id);
  }
}

/** `writer ADDRESS PORT TEXT`: sends it, and says how the connection goes. */
class Writer extends Probe {
  override start(): void {
    const id = this.os.tcp.connect(this.os.argv[1] ?? "", Number(this.os.argv[2]));
    if (id !== undefined) this.os.tcp.send(id, new TextEncoder().encode(this.os.argv[3]));
  }

  override event(event: ProgramEvent): void {
    if (event.kind === "tcp")
      this.say(event.event.kind === "failed" || event.event.kind === "reset" ? event.event.error : event.event.kind);
  }
}

const PROBES: { readonly [name: string]: new (os: Os) => Probe } = {
  ticker: Ticker,
  catcher: Catcher,
  sleeper: Sleeper,
  ender: Ender,
  parent: Parent,
  listener: Listener,
  batcher: Batcher,
  daemon: Daemon,
  server: Server,
  asker: Asker,
  spinner: Spinner,
  pinger: Pinger,
  reader: Reader,
  writer: Writer,
};

export function probe(argv: readonly string[]): ProgramMaker | undefined {
  const Class = PROBES[argv[0] ?? ""];
  return Class === undefined ? undefined : (os) => new Class(os);
}
