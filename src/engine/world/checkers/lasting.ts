/** What may be for a while and must not last: remembers since when each of some things is so. */
import type { Duration, Instant } from "../../kernel/index.ts";

export class Lasting {
  private since = new Map<string, Instant>();
  private told = new Set<string>();

  /** What is so at `at`. @returns those that have been so for longer than `most`, each once */
  see(at: Instant, keys: readonly string[], most: Duration): string[] {
    this.since = new Map(keys.map((key) => [key, this.since.get(key) ?? at]));
    const long = keys.filter((key) => at - (this.since.get(key) ?? at) > most && !this.told.has(key));
    for (const key of long) this.told.add(key);
    return long;
  }
}
