/** The order of a GHashTable: of guests as recorded (.vmlist), of nodes as recorded (.members), and the same after a snapshot. */
import { expect, test } from "vitest";
import { HashTable, intHash, stringHash } from "../../src/engine/pmxcfs/hash-table.ts";

function order(keys: readonly number[]): string {
  const table = new HashTable<number, null>(intHash);
  for (const key of keys) table.set(key, null);
  return [...table.entries()].map(([key]) => key).join(" ");
}

test("guests stand in the recorded order, before and after the table has grown", () => {
  expect(order([100, 101, 102])).toBe("100 102 101");
  expect(order([101, 102, 1, 4_294_967_295, 200])).toBe("4294967295 1 102 200 101");
  const many = [100, 101, 102, ...Array.from({ length: 20 }, (_, i) => 700 + i)];
  expect(order(many)).toBe("713 716 702 719 705 102 708 711 714 700 717 703 100 706 709 712 715 701 718 704 101 707 710");
});

test("node ids 1 and 2 have one home, and stay in order", () => {
  expect(order([1, 2, 3])).toBe("1 2 3");
  expect(order([2, 1])).toBe("2 1");
});

test("g_str_hash is of signed bytes", () => {
  expect(stringHash("")).toBe(5381);
  expect(stringHash("a")).toBe(177_670);
  expect(stringHash("ä")).toBe(((5381 * 33 + (0xc3 - 256)) * 33 + (0xa4 - 256)) >>> 0);
});

test("a table agrees with a map under any sequence of changes, and goes on alike after a snapshot", () => {
  let table = new HashTable<string, number>(stringHash);
  const map = new Map<string, number>();
  let seed = 7;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let i = 0; i < 6000; i++) {
    const key = `k${random(i < 3000 ? 300 : 12)}`;
    if (random(3) === 0 || (i >= 3000 && map.size > 8)) {
      const gone = i >= 3000 ? ([...map.keys()][0] ?? key) : key;
      expect(table.delete(gone)).toBe(map.delete(gone));
    } else {
      table.set(key, i);
      map.set(key, i);
    }
    expect(table.size).toBe(map.size);
    expect(table.get(key)).toBe(map.get(key));
    if (i % 500 === 0) {
      const again = HashTable.restore(stringHash, table.snapshot());
      again.set("x", 1);
      table.set("x", 1);
      map.set("x", 1);
      expect([...again.entries()]).toEqual([...table.entries()]);
      table = again;
    }
  }
  expect(new Map(table.entries())).toEqual(map);
});
