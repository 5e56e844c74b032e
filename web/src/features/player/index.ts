export {
  changeSettings,
  onPosition,
  pause,
  play,
  prefetch,
  seek,
  stop,
  togglePlay,
  usePlayer,
} from './player'
export { syncRate } from './sync'
