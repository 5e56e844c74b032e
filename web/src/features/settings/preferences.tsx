import { Select } from '@/ui/select'
import { Loading } from '@/ui/spinner'
import { Switch } from '@/ui/switch'
import { useTitle } from '@/ui/title'
import { notifyFailure } from '@/ui/toast'
import { useChangePreferences, usePreferences } from './api'
import { Section } from './section'

export function PreferencesPage() {
  useTitle('Preferences')
  const { data: preferences } = usePreferences()
  const save = useChangePreferences()
  if (!preferences) return <Loading what="your preferences" />
  // What was just chosen is shown at once; a refusal puts back what the server has.
  const shown = { ...preferences, ...(save.isPending ? save.variables : {}) }
  const change = (values: Parameters<typeof save.mutate>[0]) =>
    save.mutate(values, { onError: (error) => notifyFailure('This was not saved', error) })
  return (
    <>
      <Section
        title="Analysis"
        lead="Tempo, key, kind and the description of a sample are found by analysing it."
      >
        <Switch
          checked={shown.auto_analyze_enabled}
          onChange={(auto_analyze_enabled) => change({ auto_analyze_enabled })}
        >
          Analyse new samples by themselves
        </Switch>
        <div className="mt-4 flex items-center gap-3">
          <span className="text-xs text-soft">Describe samples with</span>
          <Select
            label="AI model"
            value={shown.selected_model}
            options={preferences.models.map(({ id, name, included, plan }) => ({
              value: id,
              label: included ? name : `${name} (${plan})`,
            }))}
            onChange={(selected_model) => change({ selected_model })}
          />
        </div>
      </Section>
      <Section title="Mail" lead="Mails about your security are always sent.">
        <Switch
          checked={shown.notification_email_enabled}
          onChange={(notification_email_enabled) => change({ notification_email_enabled })}
        >
          Tell me when long work is done
        </Switch>
      </Section>
    </>
  )
}
