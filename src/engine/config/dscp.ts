/**
 * totem.ip_dscp: the mark that packets of all links carry for routers. In the real stack: the table of coroparse.c that totem's sockets take the type of service from. Sources: corosync.conf(5),
 * RFC 2474 and RFC 2597 for the classes, RFC 3246 for ef. Left out: the mark on the packets themselves, which nothing in the lab looks at.
 */

/** Highest code point. */
const DSCP_MAX = 63;

function classes(): [string, number][] {
  const out: [string, number][] = [["ef", 46]];
  for (let n = 0; n <= 7; n++) out.push([`cs${n}`, n * 8]);
  for (let n = 1; n <= 4; n++) for (let drop = 1; drop <= 3; drop++) out.push([`af${n}${drop}`, n * 8 + drop * 2]);
  return out;
}

const NAMED: ReadonlyMap<string, number> = new Map(classes());

/** The code point of a number, decimal, 0x or octal with a leading 0, or of a name; undefined where it is none. */
export function dscpOf(text: string): number | undefined {
  const named = NAMED.get(text);
  if (named !== undefined) return named;
  const number = /^0x[0-9a-f]+$/i.test(text)
    ? parseInt(text, 16)
    : /^0[0-7]*$/.test(text)
      ? parseInt(text, 8)
      : /^[0-9]+$/.test(text)
        ? Number(text)
        : -1;
  return number >= 0 && number <= DSCP_MAX ? number : undefined;
}
