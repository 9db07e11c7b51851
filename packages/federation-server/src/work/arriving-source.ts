import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import { type ByteSource, InputError } from "@isthmus/core";

/** A file that is still being written: reads wait for their bytes. */
export interface ArrivingSource extends ByteSource {
  /** Waits until the bytes before an end are in the file. */
  arrived(end: number): Promise<void>;
  /**
   * Notes how many bytes the file has now, and lets waiting reads go on; the file is open until all bytes
   * that are there have been read, or until the work ends.
   * @returns the result of the work, or `null` if it waits for more bytes
   */
  goOn<R>(written: number, work: Promise<R>): Promise<R | null>;
}

/**
 * Makes the source of a file that has `size` bytes once it is complete; one reader at a time reads it.
 * @param name - name of the file in messages, in place of its path
 */
export function readArriving(path: string, size: number, name: string): ArrivingSource {
  let [written, descriptor] = [0, -1];
  let wake = (): void => {};
  let pause = (): void => {};
  const cutShort = (): InputError =>
    new InputError(`Cannot read ${name} as it must have more bytes: it was cut short`, { input: path });
  const arrived = async (end: number): Promise<void> => {
    if (end > size) throw cutShort();
    while (end > written) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        pause();
      });
    }
  };
  const source: ArrivingSource = {
    name,
    size,
    arrived,
    async goOn(now, work) {
      // Closed when this call ends, so that hundreds of clients hold no file open.
      const file = await open(path);
      descriptor = file.fd;
      written = now;
      try {
        const paused = new Promise<null>((resolve) => {
          pause = () => resolve(null);
        });
        wake();
        return await Promise.race([work, paused]);
      } finally {
        await file.close();
      }
    },
    async readInto(begin, out) {
      await arrived(begin + out.length);
      for (let done = 0; done < out.length; ) {
        const count = readSync(descriptor, out, done, out.length - done, begin + done);
        if (count === 0) throw cutShort();
        done += count;
      }
    },
    async read(begin, end) {
      await arrived(end);
      const out = new Uint8Array(end - begin);
      await source.readInto(begin, out);
      return out;
    },
    async close() {},
  };
  return source;
}
