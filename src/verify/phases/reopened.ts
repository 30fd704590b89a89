import type { OtherProcess } from "../processes/other-process.js";
import { reasonOf, type Stage } from "../stage.js";

/** Another process opens the store and reads back what everybody said and was told. */
export async function reopened(stage: Stage, start: () => Promise<OtherProcess>): Promise<void> {
  let other: OtherProcess;
  try {
    other = await start();
  } catch (thrown) {
    const text = `could not open the store: ${reasonOf(thrown)}`;
    const place = { door: "another process", where: "store" } as const;
    return stage.report([{ check: "reopened", kind: "error", ...place, text }]);
  }
  try {
    await stage.readAllBack("reopened", other.readers);
  } finally {
    await other.close();
  }
}
