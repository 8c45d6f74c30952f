/** Nothing of the computer the lab runs on is reachable, and nothing typed hangs or breaks a session. */
import { readFileSync } from "node:fs";
import { hostname as hostName } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Interrupt } from "../../src/main/shell/interrupt.ts";
import { Machine, sh } from "./machine.ts";

describe("the host stays out of sight", () => {
  it("its files, whatever opens them", async () => {
    const real = readFileSync("/etc/passwd", "utf8").split("\n")[0] ?? "";
    expect(real).toContain("root");
    const ways = [
      "cat /etc/passwd",
      "cat < /etc/passwd",
      "cat ../../../../etc/passwd",
      "echo $(</etc/passwd)",
      "while read l; do echo $l; done < /etc/passwd",
      "mapfile a < /etc/passwd; echo ${a[@]}",
      "grep . /etc/passwd; head /etc/passwd; tail /etc/passwd; od -c /etc/passwd; less /etc/passwd; diff /etc/passwd /etc/hosts",
      "awk '{print}' /etc/passwd",
      "awk 'BEGIN{while((getline l < \"/etc/passwd\")>0) print l}'",
      "awk 'BEGIN{\"cat /etc/passwd\" | getline l; print l}'",
      "awk 'BEGIN{system(\"cat /etc/passwd\")}'",
      'awk \'BEGIN{print "x" | "cat /etc/passwd"}\'',
      "sed -n p /etc/passwd",
      "sed 'r /etc/passwd' /etc/hosts",
      "sed '1e cat /etc/passwd' /etc/hosts",
      "sed 's/.*/cat \\/etc\\/passwd/e' /etc/hosts",
      "sort /etc/passwd; cut -c1- /etc/passwd; uniq /etc/passwd; tac /etc/passwd; nl /etc/passwd; base64 /etc/passwd; md5sum /etc/passwd; strings /etc/passwd",
      "jq -R . /etc/passwd; jq -n --rawfile a /etc/passwd '$a'; jq -n 'input_filename, $ENV'",
      ". /etc/passwd; bash /etc/passwd; source /etc/passwd",
      "xargs cat <<< /etc/passwd; find / -name passwd -exec cat {} ';'",
      "ls -la /proc/self /home /usr /var; cat /proc/self/environ /proc/1/cmdline /proc/version",
    ];
    for (const way of ways) {
      const { out, err } = await sh(way);
      expect(`${way}: ${out}${err}`).not.toContain(real);
      expect(`${way}: ${out}`).not.toMatch(/nologin|daemon:/);
    }
  });

  it("its environment, name and processes", async () => {
    process.env["QUORATE_TEST_CANARY"] = "canary-of-the-host";
    const ways = [
      "env; set; export; declare -p; printenv; echo $QUORATE_TEST_CANARY $QUORATE_SECRET $PATH",
      "awk 'BEGIN{for (k in ENVIRON) print k, ENVIRON[k]}'",
      "jq -n env; jq -n '$ENV'",
      "ps aux; pidof node; top; kill -0 1; kill -9 " + process.pid,
      "hostname; uname -a; id; who; w; uptime; df; free; nproc; tty",
      "bash -c env; sh -c set; env -i env; xargs env < /dev/null",
    ];
    for (const way of ways) {
      const { out, err } = await sh(way);
      expect(`${way}: ${out}${err}`).not.toContain("canary-of-the-host");
      expect(`${way}: ${out}${err}`).not.toContain(hostName() === "pve1" ? "\u0000" : hostName());
      expect(`${way}: ${out}`).not.toContain(process.cwd());
    }
    delete process.env["QUORATE_TEST_CANARY"];
    expect((await sh("echo $PATH $HOME $$")).out).toMatch(/^\/usr\/local\/sbin:\S+ \/root 4\d\d\d\n$/);
  });

  it("no program of the host runs", async () => {
    for (const name of ["node", "python3", "js-exec", "sqlite3", "curl", "git", "gcc"]) {
      const { status, err } = await sh(`${name} --version`);
      expect([name, status === 127 || status === 1, err]).toEqual([name, true, expect.stringMatching(/command not found|not modelled/)]);
    }
  });

  it("its clock: dates come from virtual time alone", async () => {
    expect((await sh("date +%Y; awk 'BEGIN{srand(1); print 1}'; printf '%(%Y)T\\n' -1; echo $EPOCHSECONDS")).out).toBe(
      "2026\n1\n2026\n1767225600\n",
    );
  });
});

describe("bounds", () => {
  /** Runs a line that would not end, with Ctrl-C after some wall time. */
  async function stopped(line: string, ms = 150): Promise<{ status: number; ms: number }> {
    const interrupt = new Interrupt();
    const began = performance.now();
    setTimeout(() => interrupt.fire(2), ms);
    const { status } = await sh(line, new Machine(), { interrupt });
    return { status, ms: performance.now() - began };
  }

  it("every endless loop ends within a moment of Ctrl-C", async () => {
    for (const line of [
      "while :; do :; done",
      "for ((;;)); do :; done",
      "until false; do x=1; done",
      "f() { g; }; g() { :; }; while f; do :; done",
      "yes | cat > /dev/null",
      "while :; do echo x; done | while read y; do :; done",
      "while :; do x=$(echo a); done",
      "seq 1 100000000 > /dev/null",
      "cat /dev/zero > /dev/null",
      "printf x%.0s {1..60000} | while read -n 1 c; do while :; do :; done; done",
    ]) {
      const { status, ms } = await stopped(line);
      expect([line, status]).toEqual([line, 130]);
      expect(ms).toBeLessThan(6000);
    }
  });

  it("recursion has an end", async () => {
    expect((await sh("f() { f; }; f")).err).toBe("bash: maximum function nesting level exceeded (200)\n");
    expect((await sh("f() { f | f; }; f 2>&1 | tail -n 1")).out).toMatch(/nesting level|Resource temporarily unavailable/);
    expect((await sh("f() { (f); }; f; echo alive")).err).toContain("nesting level");
    expect((await sh("a='a[a]'; echo $((a))")).err).not.toBe("");
    expect((await sh("x=y; y=x; echo $((x))")).err).toContain("recursion level exceeded");
    expect((await sh("eval 'eval \"eval echo deep\"'")).out).toBe("deep\n");
    expect((await sh("echo 'source /tmp/r' > /tmp/r; source /tmp/r")).err).toContain("nesting level");
    expect((await sh("alias a='b x' b='a y'; a")).err).toContain("command not found");
  });

  it("deep nesting and long text are refused in one line, quickly", async () => {
    const began = performance.now();
    for (const line of [
      "(".repeat(20_000),
      "{ ".repeat(20_000),
      `echo ${"$(".repeat(5000)}x`,
      `echo ${"${x:-".repeat(5000)}`,
      `echo $((${"(".repeat(10_000)}1`,
      "if true; then ".repeat(5000),
      "x".repeat(2_000_000),
      `echo {${"a,".repeat(400)}b}{${"a,".repeat(400)}b}`,
      "echo {1..100000000}",
      `[[ ${"( ".repeat(3000)} a ${") ".repeat(3000)} ]]`,
    ]) {
      const { status, out, err } = await sh(line);
      expect([line.slice(0, 20), out.length < 200, err.split("\n").length <= 3]).toEqual([line.slice(0, 20), true, true]);
      expect(status === 0 && !line.startsWith("echo {1..")).toBe(false);
    }
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("a variable that doubles and a line of 40 MB stop with a message", async () => {
    expect((await sh("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done")).err).toContain("cannot allocate");
    expect((await sh("head -c 40000000 /dev/zero | grep -c x")).err).toBe("grep: line too long\n");
    expect((await sh("x=$(yes)")).err).toContain("input larger than");
    expect((await sh("printf '%99999999d' 1")).err).toContain("too large");
    expect((await sh("head -c 10000000 /dev/zero | tr '\\0' a | wc -c")).out.trim()).toBe("10000000");
  });

  it("a count beyond all memory is read as far as there is room", async () => {
    expect((await sh("read -N 1000000000 x < /dev/zero")).err).toMatch(/^bash: read: cannot allocate \d+ bytes\n$/);
    expect((await sh("read -d x y < /dev/zero")).err).toMatch(/line too long|cannot allocate/);
  });

  it("background jobs without end are refused, not piled up", async () => {
    const { err } = await sh("for i in {1..600}; do sleep 100 & done; kill $(jobs -p)");
    expect(err).toContain("Resource temporarily unavailable");
  });

  it("patterns that backtrack for ever do not", async () => {
    const began = performance.now();
    const long = "a".repeat(60);
    expect((await sh(`echo ${long}b | grep -E '^(a+)+$'`)).status).toBe(1);
    expect((await sh(`[[ ${long}b =~ ^(a|aa)+$ ]]`)).status).toBe(1);
    expect((await sh(`case ${long} in ${"*a".repeat(20)}b) echo no;; esac`)).status).toBe(0);
    expect((await sh(`x=${long}; echo \${x%%${"*a".repeat(20)}b}`)).out).toBe(`${long}\n`);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe("whatever is typed", () => {
  const word = fc.oneof(
    fc.constantFrom(
      "echo",
      "a",
      "$x",
      '"$x"',
      "$(echo b)",
      "`echo c`",
      "${x:-y}",
      "${x//a/b}",
      "$((1+x))",
      "*",
      "/etc/h*",
      "{a,b}",
      "~",
      "'q'",
      "<(echo p)",
      "[",
      "]",
      "[[",
      "]]",
      "cat",
      "grep x",
      "head -n 1",
      "true",
      "false",
      "read v",
      "x=1",
      "cd /etc",
      "sleep 1",
      "pvecm",
      "!",
      "time",
      "local y=2",
      "set -e",
      "exit 3",
      "break",
      "return",
      "shift",
      "wait",
      "jobs",
      "trap 'echo t' EXIT",
    ),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  );
  const glue = fc.constantFrom(
    " ",
    " ",
    " ",
    ";",
    " | ",
    " && ",
    " || ",
    " & ",
    "\n",
    " > /tmp/o ",
    " < /etc/hosts ",
    " 2>&1 ",
    "(",
    ")",
    "{ ",
    "; }",
    " do ",
    " done ",
    "; then ",
    "; fi",
    "if ",
    "for i in ",
    "while ",
    "case x in ",
    " esac ",
    "<<E\n",
    "\nE\n",
    "<<<",
    "$(",
    "${",
    "$((",
    "))",
    "'",
    '"',
    "\\",
    "#",
  );
  const line = fc.array(fc.tuple(word, glue), { minLength: 1, maxLength: 9 }).map((parts) => parts.flat().join(""));

  it("gives a status, never an exception, never a hang", async () => {
    await fc.assert(
      fc.asyncProperty(line, async (typed) => {
        const interrupt = new Interrupt();
        const timer = setTimeout(() => interrupt.fire(2), 1000);
        const { status } = await sh(typed, new Machine(), { interrupt, stdin: ["one\n", "two\n"] });
        clearTimeout(timer);
        expect(Number.isInteger(status)).toBe(true);
        expect(status).toBeGreaterThanOrEqual(0);
        expect(status).toBeLessThanOrEqual(255);
      }),
      { numRuns: process.env["QUORATE_LONG"] === "1" ? 5_000 : 200 },
    );
  }, 600_000);
});

describe("a name that is no text", () => {
  it("is refused by every line that would make it, and nothing of it reaches the machine", async () => {
    const machine = new Machine();
    const illegal = "Invalid or incomplete multibyte or wide character";
    const lines = [
      "touch $'/tmp/\\ud800'",
      "mkdir $'/tmp/\\ud83d'",
      "mkdir -p $'/tmp/\\ud83d/x'",
      "echo x > $'/tmp/\\udc00'",
      "echo x >> $'/tmp/\\xff'",
      "cp /etc/hosts $'/tmp/\\xc3'",
      "mv /etc/hosts $'/tmp/\\xc3'",
      "ln -s /etc/hosts $'/tmp/\\xc3'",
      "cat < $'/tmp/\\udfff'",
      "cd $'/tmp/\\ud800'",
      "[ -e $'/tmp/\\ud800' ] || cat $'/tmp/\\ud800'",
      ". $'/tmp/\\ud800'",
    ];
    for (const line of lines) {
      const { err, status } = await sh(line, machine);
      expect(`${line}: ${err}`).toContain(illegal);
      expect(`${line}: ${status}`).not.toBe(`${line}: 0`);
    }
    expect((await sh("ls /tmp; cat /etc/hosts | wc -l", machine)).out).toBe("3\n");
  });

  it("is bytes in a variable, as bash has it", async () => {
    const { out } = await sh("x=$'\\ud800'; printf %s \"$x\" | od -An -tx1; printf '\\udfff' | od -An -tx1");
    expect(out).toBe(" ed a0 80\n ed bf bf\n");
  });

  it("and too many or too long arguments are what execve says of them", async () => {
    const { err, status } = await sh("corosync-quorumtool $(head -c 140000 /dev/zero | tr '\\0' a)");
    expect(err).toBe("bash: corosync-quorumtool: Argument list too long\n");
    expect(status).toBe(126);
  });
});
