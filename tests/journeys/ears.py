"""Hears what a page plays: not that a player says it plays, but that sound comes out and time passes."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import BrowserContext, Page

# The player's element is in no document, so it is met where it is made, and asks for its sounds in a way that lets the
# page hear those of another origin. Each sound is led through an analyser of its own, which remembers 0.7 s of it, so
# that a busy page misses no hit. A sound lasts until it is paused, ends, or another is loaded, however often it stalls.
_LISTEN = """
window.heard = []
const NativeAudio = window.Audio
window.Audio = function (...address) {
  const element = new NativeAudio(...address)
  element.crossOrigin = 'anonymous'
  window.player = element
  let source = null
  let sound = null
  const begin = () => {
    if (sound) return
    source ??= new AudioContext().createMediaElementSource(element)
    const mine = { from: element.currentTime, to: element.currentTime, peak: 0, source: element.currentSrc }
    const meter = new AnalyserNode(source.context, { fftSize: 32768 })
    const wave = new Float32Array(meter.fftSize)
    source.disconnect()
    source.connect(meter).connect(source.context.destination)
    window.heard.push(mine)
    sound = mine
    const listen = () => {
      meter.getFloatTimeDomainData(wave)
      mine.peak = Math.max(mine.peak, ...wave.map(Math.abs))
      mine.to = Math.max(mine.to, element.currentTime)
      if (sound === mine) requestAnimationFrame(listen)
    }
    listen()
  }
  element.addEventListener('playing', begin)
  for (const end of ['pause', 'ended', 'emptied']) element.addEventListener(end, () => { sound = null })
  return element
}
"""

# Resolves as soon as the sound after the first `count` has been audible for a moment, or with what there is in the end.
_WAIT = """
([count, patience]) => new Promise((resolve) => {
  const end = performance.now() + patience
  const look = () => {
    const sound = window.heard[count]
    if (sound && sound.peak > 0.003 && sound.to - sound.from > 0.02) resolve(sound)
    else if (performance.now() > end) resolve(sound ?? null)
    else requestAnimationFrame(look)
  }
  look()
})
"""


_REACH = """
([seconds, patience]) => new Promise((resolve) => {
  const end = performance.now() + patience
  const look = () => {
    if (window.player && !window.player.paused && window.player.currentTime > seconds) resolve(true)
    else if (performance.now() > end) resolve(false)
    else requestAnimationFrame(look)
  }
  look()
})
"""


@dataclass(frozen=True)
class Heard:
    """A sound: loudest sample (full scale is 1), seconds of it that passed, and the address it came from."""

    peak: float
    seconds: float
    source: str


@dataclass
class Ears:
    """Listens to one page. Open them before the page is opened."""

    page: Page
    count: int = 0

    @staticmethod
    async def open(context: BrowserContext) -> None:
        """Make every page of the context audible."""
        await context.add_init_script(_LISTEN)

    async def next_sound(self, patience_ms: int = 20_000) -> Heard:
        """The first sound after those heard before; fails when none comes, or it is silent or stands still."""
        sound = await self.page.evaluate(_WAIT, [self.count, patience_ms])
        assert sound is not None, "nothing was played"
        assert sound["peak"] > 0.003, f"played in silence: {sound}"
        assert sound["to"] > sound["from"], f"did not advance: {sound}"
        self.count = await self.page.evaluate("() => window.heard.length")
        return Heard(sound["peak"], sound["to"] - sound["from"], sound["source"])

    async def advances_beyond(self, seconds: float, patience_ms: int = 20_000) -> bool:
        """Whether the sound that is playing gets past `seconds` in time."""
        return bool(await self.page.evaluate(_REACH, [seconds, patience_ms]))

    async def playing(self) -> bool:
        return bool(await self.page.evaluate("() => Boolean(window.player && !window.player.paused)"))
