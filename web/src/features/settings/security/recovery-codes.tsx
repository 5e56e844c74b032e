import { useState } from 'react'
import { failed } from '@/features/step-up/store'
import { Button } from '@/ui/button'
import { Confirm } from '@/ui/confirm'
import { Dialog } from '@/ui/dialog'
import { notify } from '@/ui/toast'
import { Section } from '../section'
import { useFactors, useNewRecoveryCodes } from './api'

export function RecoverySection() {
  const { data: factors } = useFactors()
  const [asking, setAsking] = useState(false)
  const [codes, setCodes] = useState<string[] | null>(null)
  const make = useNewRecoveryCodes(setCodes)
  if (!factors || (factors.totp === null && factors.passkeys.length === 0)) return null
  const left = factors.recovery_codes_left
  return (
    <Section
      title="Recovery codes"
      lead={
        <>
          For the day the phone is lost: each of them works once in place of the app or a passkey.{' '}
          <strong className={left < 3 ? 'text-warn' : 'text-ink'}>{left} left.</strong>
        </>
      }
      aside={
        <Button busy={make.isPending} onClick={() => setAsking(true)}>
          Make new ones
        </Button>
      }
    >
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Make new recovery codes?"
        description="The old ones stop working at once."
        action="Make new codes"
        onConfirm={() => {
          setAsking(false)
          make.mutate(undefined, { onError: failed('The old codes still hold') })
        }}
      />
      {codes && <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </Section>
  )
}

export function RecoveryCodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const text = codes.join('\n')
  return (
    <Dialog
      open
      onClose={onClose}
      title="Keep your recovery codes"
      description="They are shown this once. Print them or put them where you keep your passwords, not on the phone with the app."
    >
      <ul className="grid grid-cols-2 gap-x-6 gap-y-1 rounded-md border border-line bg-ground p-4 font-mono select-all">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="mt-4 flex justify-end gap-2">
        <Button
          large
          onClick={() => {
            void navigator.clipboard.writeText(text).then(() => notify('Copied'))
          }}
        >
          Copy
        </Button>
        <a
          className="inline-flex h-9 items-center rounded-md border border-line bg-raised px-4 text-sm hover:bg-hover"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(`${text}\n`)}`}
          download="sample-agent-recovery-codes.txt"
        >
          Save as a file
        </a>
        <Button look="primary" large onClick={onClose}>
          I have kept them
        </Button>
      </div>
    </Dialog>
  )
}
