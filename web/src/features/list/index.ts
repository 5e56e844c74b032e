export { GridHeader } from './header'
export { SampleGrid } from './sample-grid'
