import { Outlet } from '@tanstack/react-router'
import { Mark } from '@/ui/mark'

export function AuthLayout() {
  return (
    <main className="grid h-full place-items-center overflow-y-auto bg-[radial-gradient(60rem_30rem_at_50%_-10rem,#2a1a0e,transparent)] p-6">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Mark size={22} />
          <span className="text-lg font-semibold tracking-tight">Sample Agent</span>
          <span className="rounded border border-line px-1.5 py-0.5 font-mono text-2xs text-dim">
            SP-404MK2
          </span>
        </div>
        <div className="rounded-xl border border-line bg-panel p-7 shadow-2xl">
          <Outlet />
        </div>
      </div>
    </main>
  )
}
