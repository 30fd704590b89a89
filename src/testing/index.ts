export type { AgentParts, AgentUnderCheck } from "../verify/battery.js";
export type { CheckName, Finding, FindingKind, Whose } from "../verify/finding.js";
export type { RecordedRequest } from "../verify/recorder.js";
export type { Evidence, Verdict, VerifyReport } from "../verify/report/report.js";
export { screenText as reportText } from "../verify/report/screen.js";
export { type AppOptions, type AppResult, verifyApp } from "../verify/targets/app.js";
export type {
  AgentTarget,
  MemoryTarget,
  ModelTarget,
  SendTarget,
  ThrowawayMemory,
  VerifyTarget,
  VerifyUpstream,
} from "../verify/targets/target.js";
export { type VerifyOptions, verifyIsolation } from "../verify/verify-isolation.js";
export { type MemoryConformanceOptions, memoryConformance } from "./memory-conformance.js";
export {
  type ModelConformanceOptions,
  modelConformance,
  type OpenedModel,
} from "./model-conformance.js";
export {
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedFunction,
  ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptedStep,
} from "./scripted-model.js";
export { type StoreConformanceOptions, storeConformance } from "./store-conformance.js";
