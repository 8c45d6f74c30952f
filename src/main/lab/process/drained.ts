/** The end of a program whose output somebody may still be reading. */

/**
 * Everything written has been taken by whoever reads it: a pipe holds 64 KiB, and what is still waiting for room there is lost with the process that ends. A reader that has gone ends the wait.
 */
export async function drained(): Promise<void> {
  const taken = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((done) => {
      if (stream.writableLength === 0) done();
      else stream.write("", () => done());
    });
  await Promise.all([process.stdout, process.stderr].map(taken));
}
