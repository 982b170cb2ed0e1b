/* Every part of the console beside every other, in all its states: to look at after a change, and to build from. */
import { Boxes, Plus, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { ApiError, UnreachableError } from '~/api/errors';
import { Badge, Kbd, Meter, Status, type BadgeTone } from '~/ui/badge';
import { Button, IconButton } from '~/ui/button';
import { Cards, Checkbox, Segments, Select, Switch } from '~/ui/choice';
import { Code } from '~/ui/code';
import { Copyable } from '~/ui/copy';
import { Confirm, Dialog } from '~/ui/dialog';
import dialog from '~/ui/dialog.module.css';
import { Fields, Row, SearchField, TextField } from '~/ui/field';
import { Mark } from '~/ui/mark';
import { Menu } from '~/ui/menu';
import { Card, Facts, Page, Section } from '~/ui/page';
import { Failed, NoPermission, Notice, NothingFound, SkeletonCards, SkeletonRows, State } from '~/ui/states';
import { Stepper } from '~/ui/stepper';
import { Suggest } from '~/ui/suggest';
import { Lines, Table } from '~/ui/table';
import { Tabs } from '~/ui/tabs';
import { done, failed } from '~/ui/toast';
import css from './design.module.css';

const nothing = () => undefined;
const TONES: BadgeTone[] = ['quiet', 'accent', 'good', 'warn', 'bad', 'violet'];
const COLOURS = [
  'canvas',
  'surface',
  'sunken',
  'hover',
  'selected',
  'line',
  'control-line',
  'text',
  'text-soft',
  'text-faint',
  'accent',
  'good',
  'warn',
  'bad',
  'violet',
];
const WORDS = [
  { id: 'one', label: 'One' },
  { id: 'two', label: 'Two', note: 'with a word about it' },
  { id: 'three', label: 'Three' },
] as const;

const Line = ({ children }: { children: ReactNode }) => <div className={css.line}>{children}</div>;

function Buttons() {
  return (
    <Section title="Buttons">
      <Card>
        <Line>
          <Button look="primary">Primary</Button>
          <Button>Plain</Button>
          <Button look="ghost">Ghost</Button>
          <Button look="danger">Danger</Button>
          <Button icon={Plus}>With icon</Button>
          <Button small>Small</Button>
          <Button look="primary" pending>
            Pending
          </Button>
          <Button isDisabled>Disabled</Button>
          <IconButton label="Remove" icon={Trash2} />
          <Menu
            label="More"
            actions={[
              { id: 'a', label: 'Edit', onAction: nothing },
              { id: 'b', label: 'Delete', bad: true, icon: Trash2, onAction: nothing },
            ]}
          />
        </Line>
      </Card>
    </Section>
  );
}

function FormParts() {
  const [text, setText] = useState('');
  const [word, setWord] = useState<'one' | 'two' | 'three'>('one');
  const [on, setOn] = useState(true);
  return (
    <Section title="Fields">
      <Card>
        <Fields>
          <Row>
            <TextField label="Text" value={text} onChange={setText} placeholder="Placeholder" help="A word of help." />
            <TextField label="Refused" value="x y" onChange={nothing} error="must be 1 to 255 letters, digits, '-' or '_'" mono />
            <TextField label="Secret" value="hidden" onChange={nothing} secret />
            <TextField label="Amount" value="12.50" onChange={nothing} before="$" after="per month" required={false} />
            <TextField label="Disabled" value="cannot be changed" onChange={nothing} disabled />
            <Select label="Select" value={word} options={WORDS} onChange={setWord} />
            <Suggest
              label="Suggest"
              value={text}
              onChange={setText}
              options={[
                { id: 'gpt-4o', label: 'gpt-4o' },
                { id: 'o1', label: 'o1' },
              ]}
            />
            <SearchField label="Search" value={text} onChange={setText} />
          </Row>
          <TextField label="Several lines" value={text} onChange={setText} rows={3} />
          <Cards label="Cards" value={word} options={WORDS} onChange={setWord} />
          <Line>
            <Segments label="Segments" value={word} options={WORDS} onChange={setWord} />
            <Switch label="Switch" shown value={on} onChange={setOn} help="With a word about it." />
            <Checkbox label="Checkbox" shown value={on} onChange={setOn} />
            <Checkbox label="Some" shown value={false} some onChange={setOn} />
            <Checkbox label="Disabled" shown value disabled onChange={setOn} />
          </Line>
        </Fields>
      </Card>
    </Section>
  );
}

function Marks() {
  return (
    <Section title="Marks">
      <Card>
        <div className={css.stack}>
          <Line>
            {TONES.map((tone) => (
              <Badge key={tone} tone={tone}>
                {tone}
              </Badge>
            ))}
            <Status tone="good">active</Status>
            <Status tone="bad">exhausted</Status>
            <Status tone="warn">expired</Status>
            <Kbd>Ctrl K</Kbd>
            <Copyable text="@openai-prod/gpt-4o" label="Copy" />
          </Line>
          <Line>
            {[
              'OpenAI',
              'AWS Bedrock',
              'Google Gemini',
              'Groq',
              'Mistral AI',
              'Cohere',
              'xAI',
              'Ollama',
              'Fireworks AI',
              'Azure OpenAI',
            ].map((name) => (
              <Mark key={name} name={name} large />
            ))}
          </Line>
          <div className={css.meters}>
            <Meter label="Used" used={3} of={10} />
            <Meter label="Used" used={8.5} of={10} />
            <Meter label="Used" used={10} of={10} />
          </div>
          <Stepper steps={['Credentials', 'Workspaces', 'Models']} current={1} />
        </div>
      </Card>
    </Section>
  );
}

function States() {
  return (
    <Section title="States">
      <div className={css.grid} data-example>
        <Card>
          <State icon={Boxes} title="Nothing here yet" actions={<Button look="primary">Make one</Button>}>
            What it is for, in one sentence.
          </State>
        </Card>
        <Card>
          <NothingFound what="models" onClear={nothing} />
        </Card>
        <Card>
          <NoPermission />
        </Card>
        <Card>
          <Failed error={new UnreachableError()} onRetry={nothing} />
        </Card>
        <Card>
          <Failed
            error={new ApiError(500, 'Something inside failed', 'internal', '0192f0c1-0000-7000-8000-000000000000')}
            onRetry={nothing}
          />
        </Card>
        <Card>
          <Failed error={new ApiError(404, 'Integration not found (404)', 'not_found')} />
        </Card>
        <Card flush>
          <SkeletonRows rows={4} />
        </Card>
        <SkeletonCards cards={2} />
      </div>
      <div className={css.stack}>
        <Notice>Something to know.</Notice>
        <Notice tone="good" title="It worked">
          The provider took the credential.
        </Notice>
        <Notice tone="warn">Something to look at.</Notice>
        <Notice tone="bad">Something that was refused.</Notice>
      </div>
    </Section>
  );
}

function Over() {
  const [open, setOpen] = useState<'dialog' | 'drawer' | 'confirm'>();
  const close = () => setOpen(undefined);
  return (
    <Section title="Over the page">
      <Card>
        <Line>
          <Button onPress={() => setOpen('dialog')}>Dialog</Button>
          <Button onPress={() => setOpen('drawer')}>Drawer</Button>
          <Button onPress={() => setOpen('confirm')}>Confirmation</Button>
          <Button onPress={() => done('Saved')}>Toast</Button>
          <Button onPress={() => failed(new Error('It was refused'))}>Toast of a fault</Button>
        </Line>
      </Card>
      <Dialog
        title={open === 'drawer' ? 'Drawer' : 'Dialog'}
        open={open === 'dialog' || open === 'drawer'}
        onClose={close}
        drawer={open === 'drawer'}
      >
        <div className={dialog.body}>
          <TextField label="A field" value="" onChange={nothing} />
        </div>
      </Dialog>
      <Confirm
        title="Delete it?"
        open={open === 'confirm'}
        onClose={close}
        onConfirm={close}
        action="Delete"
        change={{ isPending: false, error: null }}
        word="prod"
      >
        <p>What is lost, in one sentence.</p>
      </Confirm>
    </Section>
  );
}

export function DesignPage() {
  return (
    <Page
      title="Design system"
      about="Every part of the console in its states. A page is built from these and adds no colour of its own."
    >
      <Section title="Colours">
        <Card>
          <div className={css.colours}>
            {COLOURS.map((name) => (
              <div key={name} className={css.colour}>
                <span className={css.swatch} style={{ background: `var(--${name})` }} />
                <code>{name}</code>
              </div>
            ))}
          </div>
        </Card>
      </Section>
      <Buttons />
      <FormParts />
      <Marks />
      <Section title="List">
        <Table
          label="Example"
          keyOf={(row) => row.id}
          rows={WORDS}
          sort={{ by: 'name', down: false }}
          onSort={nothing}
          columns={[
            {
              id: 'name',
              head: 'Name',
              width: '2fr',
              sortable: true,
              cell: (row) => <Lines first={row.label} second={row.id} />,
            },
            { id: 'state', head: 'State', width: '1fr', cell: () => <Status tone="good">active</Status> },
            { id: 'cost', head: 'Cost', width: '90px', end: true, cell: () => '$12.50' },
          ]}
        />
      </Section>
      <Section title="Texts">
        <Card>
          <div className={css.stack}>
            <Tabs
              label="Example"
              items={[
                {
                  id: 'bash',
                  label: 'cURL',
                  content: (
                    <Code
                      label="curl"
                      language="bash"
                      code={'curl http://127.0.0.1:8787/v1/models \\\n  -H "Authorization: Bearer $SLUICE_API_KEY" # a remark'}
                    />
                  ),
                },
                {
                  id: 'python',
                  label: 'Python',
                  content: (
                    <Code
                      label="python"
                      language="python"
                      code={'from openai import OpenAI\n\nclient = OpenAI(max_retries=2)\nprint("hello")'}
                    />
                  ),
                },
              ]}
            />
            <Facts
              items={[
                ['Name', 'Azure production'],
                ['Unknown', undefined],
              ]}
            />
          </div>
        </Card>
      </Section>
      <States />
      <Over />
    </Page>
  );
}
