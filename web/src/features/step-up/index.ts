export { StepUpDialog } from './dialog'
export { confirmed, failed } from './store'
