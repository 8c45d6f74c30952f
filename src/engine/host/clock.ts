/** The wall clock as a host needs it: given from outside, so that a test can move it on. In the real stack: the computer's own clock. */

export interface HostClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `call` once, `ms` from now; 0 as soon as the event loop has had its turn. The answer cancels it. */
  after(ms: number, call: () => void): () => void;
}

export const wallClock: HostClock = {
  now: () => performance.now(),
  after: (ms, call) => {
    if (ms <= 0) {
      const handle = setImmediate(call);
      return () => clearImmediate(handle);
    }
    const handle = setTimeout(call, ms);
    return () => clearTimeout(handle);
  },
};
