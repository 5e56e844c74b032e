export { cancelJob, fetchJob, retryJob, useLiveJob } from './api'
export { followJobs, isOver, onJob, receiveJob, refreshTotalsSoon } from './stream'
