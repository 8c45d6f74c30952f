/** The shell's files are the machine's: descriptors, served mounts that wait, bytes that are no text, users and groups. */
import { afterEach, describe, expect, it } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import type { World } from "../../src/engine/world/index.ts";
import { decode, encode } from "../../src/main/shell/bytes.ts";
import { on, oneNode } from "./node-shell.ts";
import { Machine, sh } from "./machine.ts";

let world: World;
const out = async (line: string): Promise<string> => (await on(world, line)).out;

describe("redirections are open files", () => {
  it("a file that is removed or renamed is written on", async () => {
    world = oneNode();
    expect(
      await out("exec 3> /root/f; echo a >&3; mv /root/f /root/g; echo b >&3; cat /root/g; rm /root/g; echo c >&3 && echo fine; ls /root"),
    ).toBe("a\nb\nfine\n");
  });

  it("two that were opened apart have offsets of their own, O_APPEND goes to the end, and 2>&1 shares one", async () => {
    world = oneNode();
    expect(await out("cd /tmp; exec 3>f 4>f; echo aaaa >&3; echo bb >&4; cat f; exec 3>>f; echo c >&3; echo dddd >&4; cat f")).toBe(
      "bb\na\nbb\ndddd\n",
    );
    expect(await out("cd /tmp; { echo 1; echo 2 >&2; echo 3; } > g 2>&1; cat g")).toBe("1\n2\n3\n");
  });

  it("<> reads and writes at one offset", async () => {
    world = oneNode();
    expect(await out("cd /tmp; printf 'one\\ntwo\\n' > f; exec 3<>f; read -u 3 x; echo $x; echo TWO >&3; cat f; exec 4<>new; ls new")).toBe(
      "one\none\nTWO\nnew\n",
    );
  });

  it("noclobber refuses a regular file that is there, empty or not", async () => {
    world = oneNode();
    const ran = await on(
      world,
      "cd /tmp; set -C; echo 1 > f; echo 2 > f; : > e; : > e; echo 3 >| f; echo 4 >> f; echo 5 > /dev/null && cat f",
    );
    expect(ran).toEqual({
      status: 0,
      out: "3\n4\n",
      err: "bash: f: cannot overwrite existing file\nbash: e: cannot overwrite existing file\n",
    });
  });

  it("long files pass through in pieces", async () => {
    world = oneNode();
    expect(
      await out(
        "yes 0123456789abcde | head -c 3000000 > /tmp/long; cat /tmp/long | md5sum | cut -c1-8; wc -c < /tmp/long; cp /tmp/long /tmp/copy; cmp /tmp/long /tmp/copy && tail -c 16 /tmp/copy",
      ),
    ).toBe(`${await out("yes 0123456789abcde | head -c 3000000 | md5sum | cut -c1-8")}3000000\n0123456789abcde\n`);
  });

  it("a full disk says so", async () => {
    world = oneNode();
    const ran = await on(world, "mkdir /tmp/x; yes > /tmp/x/full; echo $?; rm /tmp/x/full; echo again > /tmp/x/full && cat /tmp/x/full");
    expect(ran).toMatchObject({ out: "1\nagain\n", err: "yes: write error: No space left on device\n" });
  });

  it("who reads on at the end sees what was added", async () => {
    world = oneNode();
    expect(await out("cd /tmp; echo 1 > f; exec 3< f; read -u 3 a; read -u 3 b || echo end; echo 2 >> f; read -u 3 c; echo $a $c")).toBe(
      "end\n1 2\n",
    );
    expect(await out("cd /tmp; tail -n 1 -f f > t & sleep 1.5; echo 3 >> f; sleep 1; cat t; kill %1")).toBe("2\n3\n");
  });
});

describe("a served mount whose process is stopped", () => {
  const paused = async (line: string): Promise<{ status: number; out: string; err: string }> => {
    world = oneNode();
    world.act({ to: "machine", machine: "pve1", act: { kind: "session-kill", session: "", id: "stop", pid: 321, signal: "SIGSTOP" } });
    world.schedule(world.now + 3 * SEC, {
      ...{ to: "machine", machine: "pve1" },
      act: { kind: "session-kill", session: "", id: "go", pid: 321, signal: "SIGCONT" },
    });
    return on(world, line);
  };

  it("makes everything that asks for it wait: cat, ls, test, a redirect, a glob, cd", async () => {
    for (const [line, printed] of [
      ["cat /mnt/motd", "hello\n"],
      ["cat < /mnt/motd", "hello\n"],
      ["ls /mnt", "motd\nsub\n"],
      ["[ -f /mnt/motd ] && echo there", "there\n"],
      ["echo /mnt/*", "/mnt/motd /mnt/sub\n"],
      ["cd /mnt/sub && pwd", "/mnt/sub\n"],
      ["echo x > /mnt/new; cat /mnt/new", "x\n"],
      ["stat -c %s /mnt/motd", "6\n"],
    ] as const)
      expect([line, await paused(`${line}; date +%S`)]).toEqual([line, { status: 0, out: `${printed}23\n`, err: "" }]);
  });

  it("others go on meanwhile, and a job that waits can be ended", async () => {
    expect((await paused("cat /mnt/motd & sleep 1; echo on; jobs; kill $!; wait $!; echo $?; date +%S")).out).toBe(
      "on\n[1]+  Running                 cat /mnt/motd &\n143\n21\n",
    );
  });

  it("killed, the wait ends with its error, and after it nothing is connected", async () => {
    world = oneNode();
    const { out: said, err } = await on(world, "kill -STOP 321; (sleep 2; kill -9 321) & cat /mnt/motd; cat /mnt/motd; date +%S; wait");
    expect(said).toBe("22\n");
    expect(err).toBe("cat: /mnt/motd: Software caused connection abort\ncat: /mnt/motd: Transport endpoint is not connected\n");
  });
});

describe("bytes", () => {
  it("a string holds any bytes, and gives them back", () => {
    for (let seed = 1; seed < 400; seed++) {
      const data = Uint8Array.from({ length: seed % 23 }, (_, n) => (Math.imul(seed * 31 + n * 17, 2654435761) >>> 13) & 255);
      expect([...encode(decode(data))]).toEqual([...data]);
    }
    expect(decode(Uint8Array.of(0xc3, 0xa4, 0xff, 0x41))).toBe("ä\udcffA");
    expect(decode(Uint8Array.of(0xed, 0xb2, 0x80, 0xf4, 0x90, 0x80, 0x80))).toBe("\udced\udcb2\udc80\udcf4\udc90\udc80\udc80");
  });

  it("printf and echo write the bytes they are told", async () => {
    const machine = new Machine();
    await sh(
      "printf '\\303\\244' > /tmp/a; printf '\\303' > /tmp/b; printf '\\xff\\x41\\0' > /tmp/c; echo -en '\\0200' > /tmp/d; printf '%b' '\\0377' >> /tmp/d; echo -n $'\\376\\u00e4' > /tmp/e",
      machine,
    );
    expect(["a", "b", "c", "d", "e"].map((name) => [...(machine.bytes(`/tmp/${name}`) ?? [])])).toEqual([
      [0xc3, 0xa4],
      [0xc3],
      [0xff, 0x41, 0],
      [0x80, 0xff],
      [0xfe, 0xc3, 0xa4],
    ]);
  });

  it("they pass through variables, substitutions, read, here documents and tools unharmed", async () => {
    const machine = new Machine();
    const { out: shown } = await sh(
      [
        "printf '\\303\\244\\377x\\n' > /tmp/a",
        'x=$(cat /tmp/a); echo "$x" | od -An -tx1',
        'read -r y < /tmp/a; echo "$y" | od -An -tx1',
        "cat <<EOF | od -An -tx1\n$x\nEOF",
        "grep -a x /tmp/a | od -An -tx1",
        "cat -n /tmp/a | tail -c 5 | od -An -tx1",
        "head -c 3 /tmp/a | tr '\\377' y | od -An -tx1",
        "cut -b3- /tmp/a | od -An -tx1",
        "sort /tmp/a | od -An -tx1; sed s/x/z/ /tmp/a | od -An -tx1; awk '{print}' /tmp/a | od -An -tx1",
        "xargs printf '%s\\n' < /tmp/a | od -An -tx1; mapfile -t m < /tmp/a; printf '%s\\n' \"${m[@]}\" | od -An -tx1",
        "echo ${#x} ${x:0:1}; uniq /tmp/a | cmp - /tmp/a && tee /tmp/b < /tmp/a | cmp - /tmp/b && echo same",
        "cat -v /tmp/a",
      ].join("\n"),
      machine,
    );
    const all = " c3 a4 ff 78 0a\n";
    expect(shown).toBe(
      `${all.repeat(4)}${all}${" c3 a4 79\n"}${" ff 78 0a\n"}${all}${all.replace("78", "7a")}${all}${all}${all}3 ä\nsame\nM-CM-$M-^?x\n`,
    );
  });
});

describe("users and groups", () => {
  it("come from /etc/passwd and /etc/group", async () => {
    world = oneNode();
    expect(
      await out("id; id www-data; id -un 33; whoami; getent passwd nobody 33; getent group sudo; getent passwd nosuch; echo $?; id nosuch"),
    ).toBe(
      "uid=0(root) gid=0(root) groups=0(root)\nuid=33(www-data) gid=33(www-data) groups=33(www-data)\nwww-data\nroot\n" +
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nsudo:x:27:\n2\n",
    );
    expect(await out("echo 'kim:x:1000:100:Kim:/home/kim:/bin/bash' >> /etc/passwd; sed -i 's/^sudo.*/&kim/' /etc/group; id kim")).toBe(
      "uid=1000(kim) gid=100(users) groups=100(users),27(sudo)\n",
    );
  });

  it("ls, stat, chown and ps print and take names", async () => {
    world = oneNode();
    expect(
      await out(
        "cd /tmp; touch f; chown www-data:adm f; ls -l f | cut -d' ' -f3,4; ls -ln f | cut -d' ' -f3,4; stat -c '%U %G %u %g' f; chown daemon: f; stat -c %U:%G f; chgrp 12345 f; stat -c %G f; ps -o user= -p 1",
      ),
    ).toBe("www-data adm\n33 4\nwww-data adm 33 4\ndaemon:daemon\n12345\nroot\n");
    expect((await on(world, "chown nosuch /tmp/f; chgrp nosuch /tmp/f")).err).toBe(
      "chown: invalid user: 'nosuch'\nchgrp: invalid group: 'nosuch'\n",
    );
  });
});

describe("links, modes and times", () => {
  afterEach(() => (world = oneNode()));

  it("are those of the file system", async () => {
    world = oneNode();
    expect(
      await out(
        "cd /tmp; echo x > a; ln a b; ln -s a c; ln -s nowhere d; stat -c '%h %F' a c d; [ a -ef b ] && echo one; [ -L d ] && [ ! -e d ] && echo dangling; readlink c; realpath c; cat c; cp -a c e; readlink e; rm a; cat b",
      ),
    ).toBe("2 regular file\n1 symbolic link\n1 symbolic link\none\ndangling\na\n/tmp/a\nx\na\nx\n");
    expect(
      await out(
        "cd /tmp; rm -rf *; umask 027; touch f; mkdir d; stat -c %a f d; umask; chmod u+s,o=g,a-x f; ls -l f | cut -c1-10; chmod 1777 d; ls -ld d | cut -c1-10; chmod g=u d; stat -c %a d",
      ),
    ).toBe("640\n750\n0027\n-rwSr--r--\ndrwxrwxrwt\n1777\n".replace("-rwSr--r--", "-rwSr--r--"));
    expect(
      await out(
        "cd /tmp; touch -d '2026-01-01 00:00:07' f; touch -r f g; touch -t 202601010000.09 h; stat -c %Y f g h; [ h -nt f ] && [ ! f -nt g ] && echo newer; truncate -s 5 f; stat -c %s f",
      ),
    ).toBe("1767225607\n1767225607\n1767225609\nnewer\n5\n");
  });

  it("a move between file systems is a copy", async () => {
    world = oneNode();
    expect(
      await out(
        "mkdir -p /tmp/t/u; echo x > /tmp/t/u/f; ln -s f /tmp/t/u/l; chmod 600 /tmp/t/u/f; chown daemon /tmp/t/u/f; mv /tmp/t /run/t; stat -c '%a %U %F' /run/t/u/f /run/t/u/l; ls /tmp; mv /run/t /run/t/u; echo $?",
      ),
    ).toBe("600 daemon regular file\n777 root symbolic link\n1\n");
  });
});
