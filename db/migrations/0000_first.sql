CREATE TABLE "alerts" (
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"fingerprint" text NOT NULL,
	"source" text NOT NULL,
	"state" text NOT NULL,
	"title" text NOT NULL,
	"labels" jsonb NOT NULL,
	"starts_at" timestamp with time zone,
	"times" integer DEFAULT 1 NOT NULL,
	"first_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "alerts_incident_id_fingerprint_pk" PRIMARY KEY("incident_id","fingerprint")
);
--> statement-breakpoint
ALTER TABLE "alerts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "audit" (
	"workspace_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"entry" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_workspace_id_seq_pk" PRIMARY KEY("workspace_id","seq")
);
--> statement-breakpoint
ALTER TABLE "audit" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "decisions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"gate_id" uuid,
	"verdict" text NOT NULL,
	"digest" text,
	"person" text NOT NULL,
	"role" text NOT NULL,
	"reason" text,
	"signature" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "decisions_gate_unless_cancel" CHECK ("decisions"."gate_id" is not null or "decisions"."verdict" in ('cancel', 'rollBack'))
);
--> statement-breakpoint
ALTER TABLE "decisions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "executions" (
	"key" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"grant_id" uuid NOT NULL,
	"claim_id" uuid NOT NULL,
	"digest" text NOT NULL,
	"step_id" text NOT NULL,
	"target" text NOT NULL,
	"state" text NOT NULL,
	"snapshot" text,
	"snapshot_kept_until" timestamp with time zone,
	"handle" text,
	"result" text,
	"claimed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "executions_grant_step" UNIQUE("grant_id","step_id","kind")
);
--> statement-breakpoint
ALTER TABLE "executions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "executor_calls" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"queue" text NOT NULL,
	"place" text,
	"kind" text NOT NULL,
	"key" text,
	"request" text NOT NULL,
	"waiter_until" timestamp with time zone NOT NULL,
	"worker_id" uuid,
	"worker_until" timestamp with time zone,
	"is_aborted" boolean DEFAULT false NOT NULL,
	"handle" text,
	"beginning" text,
	"answer" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "executor_calls" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "executor_output" (
	"call_id" uuid NOT NULL,
	"workspace_id" text NOT NULL,
	"first_line" integer NOT NULL,
	"text" text NOT NULL,
	CONSTRAINT "executor_output_call_id_first_line_pk" PRIMARY KEY("call_id","first_line")
);
--> statement-breakpoint
ALTER TABLE "executor_output" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "executors" (
	"workspace_id" text NOT NULL,
	"queue" text NOT NULL,
	"worker_id" uuid NOT NULL,
	"place" text NOT NULL,
	"version" text NOT NULL,
	"capabilities" jsonb NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "executors_workspace_id_queue_worker_id_pk" PRIMARY KEY("workspace_id","queue","worker_id")
);
--> statement-breakpoint
ALTER TABLE "executors" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "gates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"incident_id" uuid NOT NULL,
	"workspace_id" text NOT NULL,
	"kind" text NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"digest" text,
	"plan_version" integer,
	"mode" text NOT NULL,
	"offers_rollback" boolean DEFAULT false NOT NULL,
	"approvals_needed" integer NOT NULL,
	"role_needed" text NOT NULL,
	"review_needed" boolean NOT NULL,
	"excluded" jsonb NOT NULL,
	"update_id" uuid NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"settled_at" timestamp with time zone,
	"told_well_at" timestamp with time zone,
	CONSTRAINT "gates_update" UNIQUE("update_id"),
	CONSTRAINT "gates_settled_iff_not_open" CHECK (("gates"."state" = 'open') = ("gates"."settled_at" is null)),
	CONSTRAINT "gates_execution_has_digest" CHECK ("gates"."kind" <> 'execution' or "gates"."digest" is not null)
);
--> statement-breakpoint
ALTER TABLE "gates" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"trigger" text NOT NULL,
	"title" text NOT NULL,
	"started_by" text,
	"fingerprint" text NOT NULL,
	"labels" jsonb NOT NULL,
	"targets" jsonb,
	"severity_threshold" text NOT NULL,
	"phase" text DEFAULT 'DETECTION' NOT NULL,
	"status" text DEFAULT 'IN_PROGRESS' NOT NULL,
	"outcome" text,
	"severity" text,
	"score" double precision,
	"root_cause" jsonb,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	"left_alone" boolean DEFAULT true NOT NULL,
	CONSTRAINT "incidents_outcome_iff_closed" CHECK (("incidents"."phase" = 'CLOSED') = ("incidents"."outcome" is not null) and ("incidents"."outcome" is null) = ("incidents"."closed_at" is null))
);
--> statement-breakpoint
ALTER TABLE "incidents" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "kill_switches" (
	"workspace_id" text PRIMARY KEY NOT NULL,
	"is_on" boolean NOT NULL,
	"person" text NOT NULL,
	"reason" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "kill_switches" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "last_known_good" (
	"workspace_id" text NOT NULL,
	"target" text NOT NULL,
	"hash" text NOT NULL,
	"content" text NOT NULL,
	"well_since" timestamp with time zone,
	"well_at" timestamp with time zone NOT NULL,
	"good_at" timestamp with time zone,
	CONSTRAINT "last_known_good_workspace_id_target_hash_pk" PRIMARY KEY("workspace_id","target","hash")
);
--> statement-breakpoint
ALTER TABLE "last_known_good" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "measurements" (
	"id" uuid PRIMARY KEY NOT NULL,
	"incident_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"plan_version" integer NOT NULL,
	"measured_at" timestamp with time zone NOT NULL,
	"signals" jsonb NOT NULL,
	"facts" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "measurements" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "notifications" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"key" text NOT NULL,
	"channel" text NOT NULL,
	"kind" text NOT NULL,
	"gate_id" uuid,
	"text" text NOT NULL,
	"only_for" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp with time zone,
	"gave_up_at" timestamp with time zone,
	CONSTRAINT "notifications_once" UNIQUE("incident_id","key","channel")
);
--> statement-breakpoint
ALTER TABLE "notifications" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"workspace_id" text NOT NULL,
	"incident_id" uuid NOT NULL,
	"message" jsonb NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "outbox" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "people" (
	"workspace_id" text NOT NULL,
	"person" text NOT NULL,
	"role" text NOT NULL,
	"slack_user" text NOT NULL,
	"changed_by" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "people_workspace_id_person_pk" PRIMARY KEY("workspace_id","person"),
	CONSTRAINT "people_slack_user" UNIQUE("workspace_id","slack_user")
);
--> statement-breakpoint
ALTER TABLE "people" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "plans" (
	"incident_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"script_id" uuid,
	"category" text NOT NULL,
	"digest" text NOT NULL,
	"canonical" text NOT NULL,
	"confidence" jsonb NOT NULL,
	"rehearsal" jsonb NOT NULL,
	"verified_well" boolean,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "plans_incident_id_version_pk" PRIMARY KEY("incident_id","version"),
	CONSTRAINT "plans_digest" UNIQUE("incident_id","digest")
);
--> statement-breakpoint
ALTER TABLE "plans" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "pod_claims" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"workspace_id" text NOT NULL,
	"pod" text,
	"claimant" text,
	"claimed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "pod_claims" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "policies" (
	"workspace_id" text NOT NULL,
	"version" integer NOT NULL,
	"policy" jsonb NOT NULL,
	"changed_by" text NOT NULL,
	"reason" text NOT NULL,
	"signature" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "policies_workspace_id_version_pk" PRIMARY KEY("workspace_id","version")
);
--> statement-breakpoint
ALTER TABLE "policies" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "scripts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"type" text NOT NULL,
	"command" text NOT NULL,
	"parameters" jsonb NOT NULL,
	"category" text NOT NULL,
	"risk" text NOT NULL,
	"estimated_duration_ms" integer NOT NULL,
	"timeout_ms" integer NOT NULL,
	"paths" jsonb NOT NULL,
	"secrets" jsonb NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"created_by" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "scripts_name" UNIQUE("workspace_id","name")
);
--> statement-breakpoint
ALTER TABLE "scripts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "tail" (
	"incident_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"key" text NOT NULL,
	"event" text NOT NULL,
	"body" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tail_incident_id_seq_pk" PRIMARY KEY("incident_id","seq"),
	CONSTRAINT "tail_key" UNIQUE("incident_id","key"),
	CONSTRAINT "tail_id" UNIQUE("id")
);
--> statement-breakpoint
ALTER TABLE "tail" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"token_hash" text NOT NULL,
	"workspace_id" text NOT NULL,
	"person" text NOT NULL,
	"role" text NOT NULL,
	"name" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"revoked_by" text,
	CONSTRAINT "tokens_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "tokens" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "executor_output" ADD CONSTRAINT "executor_output_call_id_executor_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."executor_calls"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_grants" ON "audit" USING btree (substring("entry" from '"grant":"([^"]*)"'));--> statement-breakpoint
CREATE INDEX "audit_keys" ON "audit" USING btree (substring("entry" from '"key":"([^"]*)"'));--> statement-breakpoint
CREATE INDEX "decisions_by_incident" ON "decisions" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "executions_by_incident" ON "executions" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "executions_by_target" ON "executions" USING btree ("workspace_id","target");--> statement-breakpoint
CREATE INDEX "executor_calls_waiting" ON "executor_calls" USING btree ("workspace_id","queue","created_at") WHERE "executor_calls"."worker_id" is null;--> statement-breakpoint
CREATE INDEX "gates_by_policy" ON "gates" USING btree ("opened_at") WHERE "gates"."state" = 'open' and "gates"."mode" = 'policy';--> statement-breakpoint
CREATE UNIQUE INDEX "gates_one_open" ON "gates" USING btree ("incident_id") WHERE "gates"."state" = 'open';--> statement-breakpoint
CREATE INDEX "gates_by_incident" ON "gates" USING btree ("incident_id");--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_open_fingerprint" ON "incidents" USING btree ("workspace_id","fingerprint") WHERE "incidents"."closed_at" is null;--> statement-breakpoint
CREATE INDEX "incidents_left_alone" ON "incidents" USING btree ("workspace_id","fingerprint") WHERE "incidents"."left_alone" and "incidents"."outcome" in ('REJECTED', 'CANCELLED', 'HANDED_OVER', 'ROLLED_BACK');--> statement-breakpoint
CREATE INDEX "incidents_page" ON "incidents" USING btree ("workspace_id","opened_at","id");--> statement-breakpoint
CREATE INDEX "measurements_by_incident" ON "measurements" USING btree ("incident_id","measured_at");--> statement-breakpoint
CREATE INDEX "notifications_waiting" ON "notifications" USING btree ("due_at") WHERE "notifications"."delivered_at" is null and "notifications"."gave_up_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_waiting" ON "outbox" USING btree ("due_at") WHERE "outbox"."delivered_at" is null;--> statement-breakpoint
CREATE INDEX "pod_claims_by_key" ON "pod_claims" USING btree ("key");--> statement-breakpoint
CREATE INDEX "tokens_page" ON "tokens" USING btree ("workspace_id","created_at","id");--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "alerts" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "alerts" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("alerts"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("alerts"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "alerts"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "audit" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "audit" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("audit"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("audit"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "decisions" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "decisions" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("decisions"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("decisions"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "decisions"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "executions" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "executions" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("executions"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("executions"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "executions"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "executor_calls" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "executor_calls" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("executor_calls"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("executor_calls"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "executor_output" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "executor_output" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("executor_output"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("executor_output"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "executors" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "executors" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("executors"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("executors"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "gates" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "gates" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("gates"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("gates"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "gates"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "incidents" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "incidents" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("incidents"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("incidents"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "kill_switches" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "kill_switches" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("kill_switches"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("kill_switches"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "requests_see_what_is_for_all" ON "kill_switches" AS PERMISSIVE FOR SELECT TO "sluice_api" USING ("kill_switches"."workspace_id" = '*');--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "last_known_good" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "last_known_good" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("last_known_good"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("last_known_good"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "measurements" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "measurements" AS PERMISSIVE FOR ALL TO "sluice_api" USING ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "measurements"."incident_id")) WITH CHECK ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "measurements"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "notifications" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "notifications" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("notifications"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("notifications"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "notifications"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "outbox" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "outbox" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("outbox"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("outbox"."workspace_id" = current_setting('sluice.workspace', true) and (select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "outbox"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "people" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "people" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("people"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("people"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "plans" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "plans" AS PERMISSIVE FOR ALL TO "sluice_api" USING ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "plans"."incident_id")) WITH CHECK ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "plans"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "pod_claims" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "pod_claims" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("pod_claims"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("pod_claims"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "policies" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "policies" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("policies"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("policies"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "scripts" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "scripts" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("scripts"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("scripts"."workspace_id" = current_setting('sluice.workspace', true));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "tail" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "tail" AS PERMISSIVE FOR ALL TO "sluice_api" USING ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "tail"."incident_id")) WITH CHECK ((select incidents.workspace_id = current_setting('sluice.workspace', true) from incidents where incidents.id = "tail"."incident_id"));--> statement-breakpoint
CREATE POLICY "system_sees_all" ON "tokens" AS PERMISSIVE FOR ALL TO "sluice_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "requests_see_their_workspace" ON "tokens" AS PERMISSIVE FOR ALL TO "sluice_api" USING ("tokens"."workspace_id" = current_setting('sluice.workspace', true)) WITH CHECK ("tokens"."workspace_id" = current_setting('sluice.workspace', true));