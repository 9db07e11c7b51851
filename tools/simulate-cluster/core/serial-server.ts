/** Something that does one thing at a time, in the order in which it is asked. */
export interface SerialServer {
  /** Seconds in which it was busy. */
  readonly busy: number;
  /** Asks for so many seconds of work at a time, and returns when that work is done. */
  serve(time: number, seconds: number): number;
}

/** Creates a server that is free. */
export function createSerialServer(): SerialServer {
  let [freeAt, busy] = [0, 0];
  return {
    get busy() {
      return busy;
    },
    serve(time, seconds) {
      freeAt = Math.max(freeAt, time) + seconds;
      busy += seconds;
      return freeAt;
    },
  };
}
