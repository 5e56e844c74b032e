/** What a sample is to the rest of the app: its API, its marks and its shapes. */
export * from './api'
export { patchSample, samplesChanged, storeSample } from './cache'
export * from './format'
export { camelotClass, KeyLabel } from './key-label'
export { KINDS, KindDot, kindColour, kindName } from './kind'
export * from './music'
export { Wave } from './wave'
