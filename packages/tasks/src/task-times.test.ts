import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { sumByWorker } from "./task-times.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

function write(key: string, time: string): void {
  mkdirSync(join(folder, key));
  writeFileSync(join(folder, key, "time.json"), time);
}

describe("sumByWorker()", () => {
  it("sumByWorker() adds up tasks and seconds of each worker, and leaves out tasks of threads", async () => {
    write("a", '{"seconds":2,"worker":"two"}');
    write("b", '{"seconds":1,"worker":"one"}');
    write("c", '{"seconds":3,"worker":"two"}');
    write("d", '{"seconds":9}');
    write("e", "{");
    mkdirSync(join(folder, ".attempts"));
    expect(await sumByWorker(folder)).toEqual([
      { worker: "one", tasks: 1, seconds: 1 },
      { worker: "two", tasks: 2, seconds: 5 },
    ]);
  });
});
