/* The people of a workspace. Owners and admins of the organisation are admins of every workspace, whatever their row says. */
import { useQuery } from '@tanstack/react-query';
import { UserMinus, UserPlus, Users } from 'lucide-react';
import { useState } from 'react';
import { useChange } from '~/api/changes';
import { ApiError, messageOf } from '~/api/errors';
import { del, post, put, segment } from '~/api/http';
import { members, users } from '~/api/queries';
import type { Member, Role } from '~/api/types';
import { useSession, type SessionWorkspace } from '~/auth/session';
import { WorkspaceGate } from '~/app/workspace-gate';
import { personName } from '~/lib/person';
import { date } from '~/lib/format';
import { Badge } from '~/ui/badge';
import { Button, IconButton } from '~/ui/button';
import { Cards, Select, type Option } from '~/ui/choice';
import { Confirm, Dialog, DialogForm } from '~/ui/dialog';
import { Mark } from '~/ui/mark';
import { Page } from '~/ui/page';
import { Await, State } from '~/ui/states';
import { Suggest } from '~/ui/suggest';
import { Lines, Table, WithMark, type Column } from '~/ui/table';
import { failed } from '~/ui/toast';

const ROLES: (Option<Role> & { note: string })[] = [
  { id: 'member', label: 'Member', note: 'Calls models with keys of their own' },
  { id: 'manager', label: 'Manager', note: 'Also changes providers, configs and keys' },
  { id: 'admin', label: 'Admin', note: 'Also decides who is in' },
];
const ROLE_WORDS = ROLES.map(({ id, label }) => ({ id, label }));

function AddMember({ workspace, onClose }: { workspace: SessionWorkspace; onClose: () => void }) {
  const { admin } = useSession();
  const people = useQuery({ ...users, enabled: admin });
  const [who, setWho] = useState('');
  const [role, setRole] = useState<Role>('member');
  const add = useChange(() => post(`/admin/workspaces/${segment(workspace.id)}/users`, { users: [{ id: who.trim(), role }] }), {
    touches: [['members']],
    done: `${who.trim()} is in`,
    onDone: onClose,
  });
  const unknown = add.error instanceof ApiError && add.error.status === 404;
  return (
    <Dialog title="Add a member" open onClose={onClose}>
      <DialogForm
        onSubmit={() => add.mutate(undefined)}
        onCancel={onClose}
        submit="Add"
        pending={add.isPending}
        disabled={who.trim() === ''}
        error={add.isError && !unknown ? messageOf(add.error) : undefined}
      >
        <Suggest
          label="E-mail"
          value={who}
          onChange={setWho}
          options={(people.data ?? []).map((one) => ({ id: one.email, label: one.email, note: personName(one) }))}
          error={unknown ? 'is not a user of this organisation' : undefined}
          help="Of a user of the organisation."
        />
        <Cards label="Role" value={role} options={ROLES} onChange={setRole} />
      </DialogForm>
    </Dialog>
  );
}

function columnsOf(setRole: (row: Member, role: Role) => void, remove: (row: Member) => void): Column<Member>[] {
  const governs = (row: Member) => row.org_role === 'owner' || row.org_role === 'admin';
  return [
    {
      id: 'name',
      head: 'Member',
      width: 'minmax(90px, 2fr)',
      cell: (row) => (
        <WithMark mark={<Mark name={personName(row)} />}>
          <Lines first={personName(row)} second={personName(row) === row.email ? undefined : row.email} />
          {governs(row) && <Badge tone="violet">{row.org_role}</Badge>}
        </WithMark>
      ),
    },
    {
      id: 'role',
      head: 'Role',
      width: '112px',
      cell: (row) =>
        governs(row) ? (
          'Admin'
        ) : (
          <Select
            label={`Role of ${personName(row)}`}
            bare
            value={row.role}
            options={ROLE_WORDS}
            onChange={(role) => setRole(row, role)}
          />
        ),
    },
    { id: 'since', head: 'Since', width: '110px', end: true, cell: (row) => date(row.created_at), spare: true },
    {
      id: 'remove',
      head: <span className="visually-hidden">Remove</span>,
      width: '40px',
      end: true,
      cell: (row) => <IconButton label={`Remove ${personName(row)}`} icon={UserMinus} small onPress={() => remove(row)} />,
    },
  ];
}

function Members({ workspace }: { workspace: SessionWorkspace }) {
  const list = useQuery(members(workspace.id));
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Member>();
  const path = (row: Member) => `/admin/workspaces/${segment(workspace.id)}/users/${segment(row.id)}`;
  const change = useChange(({ row, role }: { row: Member; role: Role }) => put(path(row), { role }), {
    touches: [['members']],
    done: 'Saved',
  });
  const remove = useChange((row: Member) => del(path(row)), {
    touches: [['members']],
    done: 'Removed',
    onDone: () => setLeaving(undefined),
  });
  const add = (
    <Button look="primary" icon={UserPlus} onPress={() => setAdding(true)}>
      Add member
    </Button>
  );
  const columns = columnsOf((row, role) => change.mutate({ row, role }, { onError: failed }), setLeaving);
  return (
    <Page title="Members" about={`Who works in ${workspace.name}, and as what.`} actions={add}>
      <Await queries={[list]}>
        {() =>
          list.data?.length === 0 ? (
            <State icon={Users} title="Nobody is in this workspace yet" actions={add}>
              Owners and admins of the organisation reach it all the same.
            </State>
          ) : (
            <Table label="Members" columns={columns} rows={list.data ?? []} keyOf={(row) => row.id} />
          )
        }
      </Await>
      {adding && <AddMember workspace={workspace} onClose={() => setAdding(false)} />}
      <Confirm
        title={`Remove ${leaving === undefined ? '' : personName(leaving)}?`}
        open={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        onConfirm={() => leaving && remove.mutate(leaving)}
        action="Remove"
        change={remove}
      >
        <p>They leave this workspace, and stay a user of the organisation.</p>
      </Confirm>
    </Page>
  );
}

export const MembersPage = () => (
  <WorkspaceGate>{(workspace) => <Members key={workspace.slug} workspace={workspace} />}</WorkspaceGate>
);
