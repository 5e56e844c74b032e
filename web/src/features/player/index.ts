export {
  changeSettings,
  onPosition,
  pause,
  play,
  prefetch,
  refreshPlaying,
  seek,
  stop,
  togglePlay,
  usePlayer,
} from './player'
export { syncRate } from './sync'
