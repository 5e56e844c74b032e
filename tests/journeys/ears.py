"""Hears what a page plays: not that a player says it plays, but that sound comes out and time passes."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import BrowserContext, Page

# The player's element is in no document, so it is met where it starts to play. Its sound is led through an analyser.
_LISTEN = """
window.heard = []
const meters = new WeakMap()
const play = HTMLMediaElement.prototype.play
HTMLMediaElement.prototype.play = function () {
  if (!meters.has(this)) meters.set(this, attach(this))
  return play.call(this)
}
function attach(element) {
  window.player = element
  const context = new AudioContext()
  const meter = new AnalyserNode(context, { fftSize: 2048 })
  context.createMediaElementSource(element).connect(meter).connect(context.destination)
  const wave = new Float32Array(meter.fftSize)
  element.addEventListener('playing', () => {
    const sound = { from: element.currentTime, to: element.currentTime, peak: 0, source: element.currentSrc }
    window.heard.push(sound)
    const listen = () => {
      if (window.heard.at(-1) !== sound) return
      meter.getFloatTimeDomainData(wave)
      sound.peak = Math.max(sound.peak, ...wave.map(Math.abs))
      sound.to = Math.max(sound.to, element.currentTime)
      if (!element.paused) requestAnimationFrame(listen)
    }
    listen()
  })
  return meter
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
