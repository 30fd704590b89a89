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
