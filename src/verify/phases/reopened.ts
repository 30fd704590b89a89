import { reasonOf } from "../finding.js";
import type { OtherProcess } from "../processes/other-process.js";
import type { Stage } from "../stage.js";

/** Another process opens the store and reads back what everybody said and was told. */
export async function reopened(stage: Stage, starting: Promise<OtherProcess>): Promise<void> {
  try {
    const { readers } = await starting;
    await stage.readAllBack("reopened", readers);
  } catch (thrown) {
    const text = `could not open the store: ${reasonOf(thrown)}`;
    const place = { door: "another process", where: "store" } as const;
    stage.report([{ check: "reopened", kind: "error", ...place, text }]);
  }
}
