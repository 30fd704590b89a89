import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { Samples } from "../../../src/data/erasure/samples.js";
import { searchFile } from "../../../src/data/erasure/search-files.js";
import { temporaryFile } from "../../support/memory-file.js";

const SAMPLE = Buffer.from("0123456789abcdef");
const MEGABYTE = 1 << 20;

it("a sample is found once wherever it is, also where one part that is read ends", async () => {
  const samples = new Samples();
  samples.addBytes(SAMPLE);
  const path = temporaryFile("a");
  const bytes = Buffer.alloc(2 * MEGABYTE + 40);
  const around = Array.from({ length: 2 * SAMPLE.length }, (_, index) => index - SAMPLE.length);
  const offsets = [0, MEGABYTE, 2 * MEGABYTE].flatMap((edge) => around.map((near) => edge + near));
  for (const offset of offsets.filter((each) => each >= 0)) {
    bytes.fill(0);
    SAMPLE.copy(bytes, offset);
    writeFileSync(path, bytes);
    let read = 0;
    const { found, bytes: size } = await searchFile(path, samples, {
      signal: new AbortController().signal,
      onBytes: (more) => {
        read += more;
      },
    });
    expect([...found]).toEqual([[0, offset]]);
    expect([size, read]).toEqual([bytes.length, bytes.length]);
  }
});

it("nothing is found in an empty file, nor half a sample", async () => {
  const samples = new Samples();
  samples.addBytes(SAMPLE);
  const path = temporaryFile("a");
  for (const content of ["", SAMPLE.subarray(1), SAMPLE.subarray(0, 15)]) {
    writeFileSync(path, content);
    const options = { signal: new AbortController().signal, onBytes: () => {} };
    expect((await searchFile(path, samples, options)).found.size).toBe(0);
  }
});
