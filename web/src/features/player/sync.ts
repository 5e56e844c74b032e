/** How fast a sample must run to sit in the project's tempo. */

/** What browsers play without going silent. */
const SLOWEST = 0.25
const FASTEST = 4

/**
 * Playback rate that brings `sampleBpm` to `projectBpm`. Half and double time count as the same tempo, so of
 * project/2, project and project×2 the one that stretches least wins: a 170 loop in a project at 90 plays at 180/170.
 */
export function syncRate(sampleBpm: number | null, projectBpm: number): number {
  if (!sampleBpm || sampleBpm <= 0 || projectBpm <= 0) return 1
  const stretch = (rate: number) => Math.abs(Math.log2(rate))
  const [best = 1] = [0.5, 1, 2]
    .map((octave) => (projectBpm * octave) / sampleBpm)
    .sort((a, b) => stretch(a) - stretch(b))
  return Math.min(Math.max(best, SLOWEST), FASTEST)
}
