export { DropZone, Pickers } from './drop-zone'
export { UploadPanel } from './panel'
